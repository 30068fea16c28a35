"""Symbols against Universal Ctags: recall and precision by kind, on the newest tree of a repository.

    python -m benchmarks.ctags cpp ~/src/qBittorrent
    python -m benchmarks.ctags java ~/src/gson --show 20

A symbol counts as the same where kind, name and line are. `--show` prints some that only one of the two has, since
either may be wrong: ctags 5.9 reads with rules, not with a grammar.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import click

from core.chunking.parsing import outline
from core.code.languages import language_of
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.git.blobs import BlobReader
from core.git.repositories import open_repository
from core.git.trees import files_of

MOST_BYTES = 1_000_000
_MACRO_OF_TESTS = re.compile(r"(?:TYPED_)?TEST(?:_F|_P)?$|TEST_CASE$")
"""What ctags takes for the name of a test."""
Tag = tuple[str, str, int]
"""Kind, name, line."""

_TYPES = {"class": "class", "struct": "struct", "union": "struct", "enum": "enum", "interface": "interface"}
_FUNCTIONS = dict.fromkeys(("function", "method", "prototype", "func", "methodSpec", "generator"), "function")
_C_FAMILY = {**_TYPES, **_FUNCTIONS, "namespace": "module", "macro": "macro"}
KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "c": ("C", _C_FAMILY),
    "cpp": ("C++", _C_FAMILY),
    "go": ("Go", {**_TYPES, **_FUNCTIONS, "const": "constant", "var": "constant"}),
    "java": ("Java", {**_TYPES, **_FUNCTIONS, "annotation": "interface"}),
    "javascript": ("JavaScript", {**_TYPES, **_FUNCTIONS}),
    "typescript": ("TypeScript", {**_TYPES, **_FUNCTIONS, "namespace": "module"}),
}
"""What ctags calls a language, and which of its kinds is which of ours."""


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("language", type=click.Choice(list(KINDS)))
@click.argument("repository")
@click.option("--show", type=click.IntRange(0), default=0, show_default=True, help="Differences of each kind to print.")
@click.option("--under", default="", help="Only files whose path begins so.")
@with_exit_codes
def main(language: str, repository: str, show: int, under: str) -> None:
    """Print recall and precision of each kind of symbol in the newest tree."""
    ours, theirs = tags(language, repository, under)
    print(f"{'kind':10} {'ctags':>7} {'ours':>7} {'recall':>8} {'precision':>10}")
    for kind in sorted(set(KINDS[language][1].values())):
        counts = Counter[str]()
        only: dict[str, list[str]] = defaultdict(list)
        for path in theirs:
            mine, other = ({one for one in side[path] if one[0] == kind} for side in (ours, theirs))
            counts.update(both=len(mine & other), ours=len(mine), theirs=len(other))
            only["ctags"] += [f"{path}:{line} {name}" for _, name, line in sorted(other - mine)]
            only["ours"] += [f"{path}:{line} {name}" for _, name, line in sorted(mine - other)]
        if counts["theirs"] + counts["ours"] == 0:
            continue
        recall, precision = (counts["both"] / max(counts[side], 1) for side in ("theirs", "ours"))
        print(f"{kind:10} {counts['theirs']:7} {counts['ours']:7} {recall:8.3f} {precision:10.3f}")
        for side, found in sorted(only.items()):
            step = max(len(found) // max(show, 1), 1)
            for line in found[::step][:show]:
                print(f"    only {side}: {line}")


def tags(language: str, repository: str, under: str) -> tuple[dict[str, set[Tag]], dict[str, set[Tag]]]:
    """(ours, those of ctags) by path; raises CalledProcessError where ctags fails."""
    git_dir = open_repository(repository, Path()).git_dir
    ours, theirs = {}, {}
    with BlobReader(git_dir) as blobs, tempfile.TemporaryDirectory() as folder:
        for number, (path, blob) in enumerate(files_of(git_dir, "HEAD").items()):
            source = blobs.read(blob, MOST_BYTES) if language_of(path) == language and path.startswith(under) else None
            if source and (found := of_ours(source, language, path)) is not None:
                copy = Path(folder) / f"{number}{Path(path).suffix}"
                copy.write_bytes(source)
                ours[path], theirs[path] = found, of_ctags(copy, language)
    return ours, theirs


def of_ours(source: bytes, language: str, path: str) -> set[Tag] | None:
    """What the chunker finds."""
    found = outline(source, language, path)
    if found is None:
        return None
    kinds = {**dict.fromkeys(KINDS[language][1].values())}
    made = set()
    for one in found.owners():
        symbol = found.symbol(one)
        is_define = symbol.kind == "constant" and symbol.signature.startswith("#")
        kind = "macro" if is_define else symbol.kind
        if kind in kinds:
            made.add((kind, _plain(symbol.name), found.places[one.place].row + symbol.definition + 1))
    return made


def of_ctags(file: Path, language: str) -> set[Tag]:
    """What ctags finds."""
    name, kinds = KINDS[language]
    command = ["ctags", f"--language-force={name}", f"--kinds-{name}=*", "--fields=+nK", "-f", "-", file.name]
    listing = subprocess.run(command, cwd=file.parent, capture_output=True, check=True).stdout.decode(errors="replace")
    found = set()
    for line in listing.splitlines():
        tag, _, _, *fields = line.split("\t")
        kind = next((one for one in fields if one in kinds), None)
        number = next((int(one[5:]) for one in fields if one.startswith("line:")), 0)
        is_name = not tag.lower().startswith(("__anon", "anonymous")) and not _MACRO_OF_TESTS.match(tag)
        if kind and is_name:
            found.add((kinds[kind], _plain(tag), number))
    return found


def _plain(name: str) -> str:
    """A name as both write it: without the scope that it is written with."""
    return name.replace(" ", "").rpartition("::")[2]


if __name__ == "__main__":
    main()
