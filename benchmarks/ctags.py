"""Symbols against Universal Ctags: recall and precision by kind, on the newest tree of a repository.

    python -m benchmarks.ctags cpp ~/src/qBittorrent
    python -m benchmarks.ctags java ~/src/gson --show 20

Recall is the share of ctags' tags that are symbols of ours, on the same line with the same name; precision the share of
our symbols that are tags. `--show` prints some of those that only one side has, since either may be wrong: ctags reads
with rules, not with a grammar. `COUNTED` says which kinds are compared. What one side defines otherwise is left out:

- tags without a name of their own, and macros without a value (guards);
- objects of JavaScript, which ctags calls classes, and imported types of TypeScript;
- tests that are calls of a function or macro, and what other macros in capitals define, of which ctags has the macro;
- prototypes and macros inside functions of C and C++: these need not be found.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import click

from core.chunking.parsing import outline
from core.code.content import language_in, may_differ
from core.code.languages import language_of
from core.config import PipelineConfig, expand
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import UserError
from core.git.blobs import BlobReader
from core.git.repositories import open_repository
from core.git.trees import files_of

MOST_BYTES = 1_000_000


class Tag(NamedTuple):
    """A symbol of either side; of ctags, the kind is its own."""

    kind: str
    name: str
    line: int


class Counted(NamedTuple):
    """How a language is compared."""

    name: str
    """What ctags calls it."""
    kinds: Mapping[str, str]
    """Kinds of ctags that must be found, each with ours for it and, behind a blank, those that will do as well."""
    others: Mapping[str, str] = {}
    """Kinds that need not be found, but where they are, confirm one of ours."""


_TYPES = {name: name for name in ("class", "struct", "enum", "interface")}
_FUNCTIONS = dict.fromkeys(("function", "method"), "function")
_C = {
    **dict.fromkeys(("function", "prototype"), "function"),
    **dict.fromkeys(("struct", "union"), "struct"),
    "enum": "enum",
    "macro": "macro",
    "typedef": "type struct enum",  # around a struct, it is that struct
}
_C_LOCAL = {"local prototype": "function", "local macro": "macro"}
_SCRIPT = {**_FUNCTIONS, **dict.fromkeys(("generator", "getter", "setter"), "function")}
_HOLDS_FUNCTION = dict.fromkeys(("property", "constant", "variable", "field", "local"), "function class")
COUNTED = {
    "c": Counted("C", _C, _C_LOCAL),
    "cpp": Counted("C++", {**_C, "class": "class", "namespace": "module"}, _C_LOCAL),
    "go": Counted(
        "Go",
        {
            **_TYPES,
            **dict.fromkeys(("func", "methodSpec"), "function"),
            **dict.fromkeys(("type", "talias"), "type"),
            **dict.fromkeys(("const", "var"), "constant"),
        },
    ),
    # ctags 5.9 takes a record for a method.
    "java": Counted("Java", {**_TYPES, "method": "function class", "annotation": "interface"}),
    "rust": Counted(
        "Rust",
        {
            **{name: name for name in ("function", "struct", "enum", "module", "macro")},
            "method": "function",
            "interface": "trait",
            "implementation": "impl",
            "typedef": "type",
        },
    ),
    # To ctags, a function with methods is a class.
    "javascript": Counted("JavaScript", {**_SCRIPT, "class": "class function"}, _HOLDS_FUNCTION),
    "typescript": Counted("TypeScript", {**_TYPES, **_SCRIPT, "namespace": "module", "alias": "type"}, _HOLDS_FUNCTION),
}
_UNNAMED = re.compile(r"__anon|anonymous", re.IGNORECASE)
_NO_VALUE = re.compile(rb"\s*#\s*define\s+\w+\s*(?://.*|/\*.*)?$")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9_]+$")
_MUST_SAY = {
    ("javascript", "class"): re.compile(rb"\b(?:class|function)\b"),
    ("typescript", "alias"): re.compile(rb"\btype\s+[\w$]+\s*(?:[=<]|$)"),
}
"""What is on the line of such a tag, by language and kind, where it is none of an object or of an import."""
_ARGUMENTS = re.compile(r"(?<!operator)<[^<>]*>")
_TESTS_ARE_CALLS = ("cpp", "javascript", "typescript")
_CALL = "macro call"
"""Kind of what C defines by a macro, on whose line ctags has the macro's name."""
Tags = Mapping[str, set[Tag]]
"""By path."""


@dataclass
class Comparison:
    """Of one kind, how many each side has, and those that the other has not, with their paths."""

    theirs: int = 0
    ours: int = 0
    missed: list[tuple[str, Tag]] = field(default_factory=list)
    unconfirmed: list[tuple[str, Tag]] = field(default_factory=list)


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("language", type=click.Choice(list(COUNTED)))
@click.argument("repository")
@click.option("--show", type=click.IntRange(0), default=0, show_default=True, help="Differences of each kind to print.")
@click.option("--under", default="", help="Only files whose path begins so.")
@with_exit_codes
def main(language: str, repository: str, show: int, under: str) -> None:
    """Print recall and precision of each kind of symbol in the newest tree."""
    check_ctags()
    files = sources(language, repository, under)
    ours = {path: of_ours(source, language, path) for path, source in files.items()}
    theirs = of_ctags(files, language)
    print(f"files: {len(files)}\n{'kind':10} {'ctags':>7} {'ours':>7} {'recall':>8} {'precision':>10}")
    for kind in kinds_of(language):
        found = compared(kind, language, ours, theirs)
        if not (found.theirs or found.ours):
            continue
        recall = 1 - len(found.missed) / max(found.theirs, 1)
        precision = 1 - len(found.unconfirmed) / max(found.ours, 1)
        print(f"{kind:10} {found.theirs:7} {found.ours:7} {recall:8.3f} {precision:10.3f}")
        for side, differences in (("ctags", found.missed), ("ours", found.unconfirmed)):
            step = max(len(differences) // max(show, 1), 1)
            for path, tag in differences[::step][:show]:
                text = b"".join(files[path].split(b"\n")[tag.line - 1 : tag.line]).decode(errors="replace").strip()
                print(f"    only {side}: {path}:{tag.line} {tag.name} | {text[:100]}")


def kinds_of(language: str) -> list[str]:
    """Kinds of ours that are compared."""
    return sorted({kinds.split()[0] for kinds in COUNTED[language].kinds.values()})


def check_ctags() -> None:
    """Raise UserError unless Universal Ctags is installed; other programs are called ctags too."""
    is_there = shutil.which("ctags") is not None
    about = subprocess.run(["ctags", "--version"], capture_output=True, check=False).stdout if is_there else b""
    if b"Universal Ctags" not in about:
        raise UserError("Universal Ctags is not installed", "on Debian and Ubuntu: apt install universal-ctags")


def sources(language: str, repository: str, under: str) -> dict[str, bytes]:
    """Files of a language by path, told as the chunker tells them. Raises UserError where there are none."""
    git_dir = open_repository(repository, expand(PipelineConfig().cache_dir)).git_dir
    found = {}
    with BlobReader(git_dir) as blobs:
        for path, blob in files_of(git_dir, "HEAD").items():
            if path.startswith(under) and (language_of(path) == language or may_differ(path)):
                source = blobs.read(blob, MOST_BYTES) or b""
                if source and language_in(path, source) == language:
                    found[path] = source
    if not found:
        raise UserError(f"{repository} has no file in {COUNTED[language].name}", "name another language or repository")
    return found


def compared(kind: str, language: str, ours: Tags, theirs: Tags) -> Comparison:
    """The two sides, given by path, as far as they hold a kind of ours."""
    counted = COUNTED[language]
    alike = {name: kinds.split() for name, kinds in {**counted.others, **counted.kinds}.items()}
    wanted = {name for name in counted.kinds if alike[name][0] == kind}
    found = Comparison()
    for path, tags in theirs.items():
        calls = {tag.line for tag in tags if tag.kind == _CALL and kind == "function"}
        confirmed = {tag._replace(kind=one) for tag in tags for one in alike.get(tag.kind, ())}
        of_theirs = [tag for tag in sorted(tags) if tag.kind in wanted]
        of_ours = [tag for tag in sorted(ours[path]) if tag.kind == kind and tag.line not in calls]
        missed = [tag for tag in of_theirs if not any(tag._replace(kind=one) in ours[path] for one in alike[tag.kind])]
        found.theirs += len(of_theirs)
        found.ours += len(of_ours)
        found.missed += [(path, tag) for tag in missed]
        found.unconfirmed += [(path, tag) for tag in of_ours if tag not in confirmed]
    return found


def of_ours(source: bytes, language: str, path: str) -> set[Tag]:
    """What the chunker finds; nothing in a file that it cannot read."""
    found = outline(source, language, path)
    if found is None:
        return set()
    made = set()
    for one in found.owners():
        symbol = found.symbol(one)
        if not (symbol.is_test and language in _TESTS_ARE_CALLS):
            is_define = symbol.kind == "constant" and symbol.signature.startswith("#")
            kind = "macro" if is_define else symbol.kind
            made.add(Tag(kind, _plain(symbol.name), found.places[one.place].row + symbol.definition + 1))
    return made


def of_ctags(files: Mapping[str, bytes], language: str) -> dict[str, set[Tag]]:
    """What ctags finds in files, given by path. Raises CalledProcessError where it fails."""
    known = COUNTED[language].name
    command = f"ctags --language-force={known} --kinds-{known}=* --fields=Ke --excmd=number -f- -L-"
    paths = list(files)
    found: dict[str, set[Tag]] = {path: set() for path in paths}
    ends: dict[str, set[tuple[int, int]]] = {path: set() for path in paths}
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(paths):  # under names of ours, since those in a tree may be anything
            (Path(folder) / str(number)).write_bytes(files[path])
        listed = "".join(f"{number}\n" for number in range(len(paths))).encode()
        done = subprocess.run(command.split(), cwd=folder, input=listed, capture_output=True, check=True)
    for line in done.stdout.decode(errors="replace").splitlines():
        if not line.startswith("!_"):
            tag, name, row, kind, *fields = line.split("\t")
            path, first = paths[int(name)], int(row.rstrip(';"'))
            found[path].add(Tag(kind, _plain(tag), first))
            if kind == "function":
                ends[path].update((first, int(field[4:])) for field in fields if field.startswith("end:"))
    return {path: set(_compared(tags, files[path], language, ends[path])) for path, tags in found.items()}


def _compared(tags: set[Tag], source: bytes, language: str, functions: set[tuple[int, int]]) -> Iterator[Tag]:
    """The tags of a file that have a name of their own; what C has inside functions and macros has another kind."""
    lines = source.split(b"\n")
    inside = {line for first, last in functions for line in range(first + 1, last)}
    for tag in tags:
        line, is_c = b"".join(lines[tag.line - 1 : tag.line]), language in ("c", "cpp")
        is_guard = tag.kind == "macro" and _NO_VALUE.match(line)
        said = _MUST_SAY.get((language, tag.kind))
        if _UNNAMED.match(tag.name) or is_guard or (said and not said.search(line)):
            continue
        if is_c and tag.kind in ("function", "prototype") and _CAPITALS.match(tag.name):
            yield tag._replace(kind=_CALL)
        elif is_c and tag.kind in ("prototype", "macro") and tag.line in inside:
            yield tag._replace(kind=f"local {tag.kind}")
        else:
            yield tag


def _plain(name: str) -> str:
    """A name as both write it: without its scope, blanks, and the arguments of a template."""
    name = name.replace(" ", "")
    while (shorter := _ARGUMENTS.sub("", name)) != name:
        name = shorter
    return name.rpartition("::")[2]


if __name__ == "__main__":
    main()
