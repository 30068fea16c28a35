"""What one broken definition costs the others: symbols found with it in a file, over those found without.

    python -m benchmarks.broken_definitions CLONES             every repository in the folder CLONES
    python -m benchmarks.broken_definitions CLONES --language cpp

Of the newest tree of each repository, up to FILES files of each language with at least LEAST symbols are taken, spread
over the sorted list. Into each, one definition that its grammar cannot read is put before the middle one of the
outermost symbols (or of those inside a file's only one), in each of several sorts. The symbols elsewhere are counted by
kind and qualified name, once as the chunker reads a file ("kept") and once as the grammar alone does ("plain").
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import click

from core.chunking import parsing
from core.chunking.outline import Outline
from core.code.content import language_in
from core.code.languages import LANGUAGES, language_of
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.git.blobs import BlobReader
from core.git.repositories import open_repository
from core.git.trees import files_of

FILES, LEAST, MOST_BYTES, LONGEST_LINE = 40, 6, 100_000, 1_000

_BRACES = {
    "brace left open": "{head} broken_one({one}) {{\n    if (a) {{\n        b(1);\n}}\n",
    "bracket left open": "{head} broken_one({one} {{\n    b(1;\n}}\n",
    "brace too many": "{head} broken_one({one}) {{\n    b(1);\n    }}\n}}\n",
    "unknown syntax": "gizmo broken_one<~> => with @@ {{\n    $$ a ->> b <~ c\n}}\n",
    "string left open": '{head} broken_one({one}) {{\n    b("a);\n}}\n',
}
_SORTS = {
    **dict.fromkeys(LANGUAGES, _BRACES),
    "python": {
        "bracket left open": "def broken_one(a:\n    b(1\n    return a\n",
        "unknown syntax": "gizmo broken_one <~> => with @@:\n    $$ a ->> b <~ c\n",
        "string left open": 'def broken_one(a):\n    b("a)\n    return 1\n',
        "indentation": "def broken_one(a):\n        b(1)\n    return 1\n",
    },
    "ruby": {
        "end missing": "def broken_one(a)\n  if a\n    b(1)\nend\n",
        "bracket left open": "def broken_one(a\n  b(1\nend\n",
        "unknown syntax": "gizmo broken_one <~> => with @@ {\n  $$ a ->> b <~ c\nend\n",
        "end too many": "def broken_one(a)\n  b(1)\n  end\nend\n",
    },
    "shell": {
        "brace left open": "broken_one() {\n  if [ a ]; then\n    b\n}\n",
        "bracket left open": 'broken_one() {\n  b "$(a\n}\n',
        "unknown syntax": "gizmo broken_one() <~> => with @@ ((\n  $$ a ->> b <~ c )\n",
    },
    "sql": {
        "bracket left open": "CREATE TABLE broken_one (\n  a int,\n  b int;\n",
        "unknown syntax": "CREATE GIZMO broken_one <~> => WITH @@ (\n  $$ a ->> b <~ c\n);\n",
    },
}
_HEADS = {
    "rust": ("fn", "a: u8"), "go": ("func", "a int"), "kotlin": ("fun", "a: Int"), "swift": ("func", "a: Int"),
    "javascript": ("function", "a"), "typescript": ("function", "a: any"), "tsx": ("function", "a: any"),
    "php": ("function", "$a"), "c": ("int", "int a"), "cpp": ("int", "int a"), "java": ("int", "int a"),
    "csharp": ("int", "int a"),
}  # fmt: skip


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("clones", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--language", help="This one alone.")
@with_exit_codes
def main(clones: Path, language: str | None) -> None:
    """Print, of each language and sort, the share of symbols that are still found in the repositories of a folder."""
    kept: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for name, path, source in sources(clones, language):
        for sort, broken in sorts(name).items():
            kept[name, sort] += shares(source, name, path, broken)
    print(f"{'language':12} {'sort':20} {'files':>6} {'symbols':>8} {'kept':>7} {'plain':>7} {'others':>7}")
    for (name, sort), counts in sorted(kept.items()):
        of = counts["symbols"]
        figures = " ".join(f"{counts[figure] / of:7.3f}" for figure in ("kept", "plain", "others"))
        print(f"{name:12} {sort:20} {counts['files']:6} {of:8} {figures}")


def sorts(language: str) -> dict[str, str]:
    """Broken definitions in a language, by what is wrong."""
    head, one = _HEADS.get(language, ("", ""))
    raw = _SORTS[language]
    return {name: text.format(head=head, one=one) for name, text in raw.items()} if raw is _BRACES else raw


def sources(clones: Path, only: str | None) -> Iterator[tuple[str, str, bytes]]:
    """(language, path, source) of files with symbols, each repository's own."""
    for clone in sorted(clones.iterdir()):
        location = clone / "repo" if (clone / "repo").is_dir() else clone
        git_dir = open_repository(str(location), clones).git_dir
        by_language: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for path, blob in files_of(git_dir, "HEAD").items():
            language = language_of(path)
            if LANGUAGES[language].has_symbols and LANGUAGES[language].kind == "code" and only in (None, language):
                by_language[language].append((path, blob))
        with BlobReader(git_dir) as blobs:
            for language, files in sorted(by_language.items()):
                taken = 0
                for path, blob in files[:: max(len(files) // (3 * FILES), 1)]:
                    source = blobs.read(blob, MOST_BYTES)
                    if source and language_in(path, source) != language:
                        continue
                    found = parsing.outline(source, language, path) if source else None
                    if source and max(map(len, source.split(b"\n"))) > LONGEST_LINE:
                        continue
                    if source and found and found.counts()[1] >= LEAST and taken < FILES:
                        taken += 1
                        yield language, path, source


def shares(source: bytes, language: str, path: str, broken: str) -> Counter[str]:
    """How many symbols there are, how many are found beside the broken one, how many more are."""
    whole = parsing.outline(source, language, path)
    assert whole is not None
    text = with_broken(whole, broken)
    wanted = symbols(whole)
    with mock.patch.object(parsing, "repaired", return_value=()):
        plain = symbols(parsing.outline(text, language, path))
    found = symbols(parsing.outline(text, language, path))
    return Counter(
        files=1,
        symbols=wanted.total(),
        kept=(wanted & found).total(),
        plain=(wanted & plain).total(),
        others=sum(number for (_, name), number in (found - wanted).items() if "broken_one" not in name),
    )


def with_broken(found: Outline, broken: str) -> bytes:
    """The source with a broken definition before the middle one, indented as that is."""
    row = middle(found)
    at, line = found.starts[row], found.line(row)
    indent = line[: len(line) - len(line.lstrip())]
    lines = [indent + one for one in broken.encode().splitlines(keepends=True)]
    return found.source[:at] + b"".join(lines) + b"\n" + found.source[at:]


def middle(found: Outline) -> int:
    """The first row of the middle one of the outermost symbols, or of those inside a file's only one."""
    owned = [(one, found.symbol(one)) for one in found.owners()]
    for depth in ({-1}, {0}):
        rows = [found.rows(one)[0] for one, symbol in owned if symbol.parent in depth]
        if len(rows) >= LEAST // 2:
            return rows[len(rows) // 2]
    return rows[len(rows) // 2] if rows else 0


def symbols(found: Outline | None) -> Counter[tuple[str, str]]:
    """Symbols by kind and qualified name."""
    return (
        Counter((found.symbol(one).kind, found.symbol(one).qualified_name) for one in found.owners())
        if found
        else Counter()
    )


if __name__ == "__main__":
    main()
