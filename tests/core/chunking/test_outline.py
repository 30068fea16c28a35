"""Which characters end the lines that chunks are counted in: line feeds alone, as for git."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import Repo
from test_semantic_chunker import assert_sound, last

from core.chunking.outline import Outline

SEPARATORS = {
    "carriage return": "\r",
    "two of them": "\r\r",
    "form feed": "\x0c",
    "vertical tab": "\x0b",
    "next line": "\x85",
    "file separator": "\x1c",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
}
TEXTS = {
    "a.py": "# one{}# two\n\n\ndef f():\n    # three{}    # four\n    return 1\n\n\ndef g():\n    return 2\n",
    "a.rs": "// one{}// two\n\nfn f() {{\n    // three{}    // four\n    1\n}}\n\nfn g() {{\n    2\n}}\n",
    "a.c": "// one{}// two\n\nint f(void) {{\n    // three{}    // four\n    1;\n}}\n\nint g(void) {{\n    2;\n}}\n",
    "a.js": "// one{}// two\n\nfunction f() {{\n    // three{}    // four\n    1;\n}}\n\nfunction g() {{\n    2;\n}}\n",
    "a.go": "package a // one{}// two\n\nfunc f() {{\n    // three{}    // four\n    1\n}}\n\nfunc g() {{\n    2\n}}\n",
}
"""With a separator before the first symbol and one in it; what changes is the second line of the last one."""


def assert_lines(repo: Repo, texts: dict[str, str]) -> None:
    """The last symbol of each file is where line feeds put it, and its change is one line."""
    repo.commit("one", dict(texts))
    repo.commit("two", {path: text.replace("2", "22") for path, text in texts.items()})
    assert_sound(repo)
    chunks = last(repo)
    for path, text in texts.items():
        found = chunks[path, "g"]
        first, end = text[: text.rindex("g(")].count("\n") + 1, text.count("\n")
        assert found.line_range == found.old_line_range == (first, end)
        assert f"@@ -{first},{end - first + 1} " in found.patch
        assert (found.additions, found.deletions) == (1, 1)


@pytest.mark.parametrize("kind", SEPARATORS)
def test_symbols_behind_other_separators(make_repo: Callable[[str], Repo], kind: str) -> None:
    separator = SEPARATORS[kind]
    assert_lines(make_repo("separators"), {path: text.format(separator, separator) for path, text in TEXTS.items()})


def test_lines_that_all_end_with_two_characters(make_repo: Callable[[str], Repo]) -> None:
    texts = {path: text.format(" ", " ").replace("\n", "\r\n") for path, text in TEXTS.items()}
    assert_lines(make_repo("ends"), texts)


@pytest.mark.parametrize("kind", SEPARATORS)
def test_the_lines_of_an_outline(kind: str) -> None:
    data = f"a{SEPARATORS[kind]}b\r\n\n{SEPARATORS[kind]}c".encode()
    found = Outline(data)
    assert [found.line(row) for row in range(len(found))] == [
        f"a{SEPARATORS[kind]}b\r\n".encode(),
        b"\n",
        f"{SEPARATORS[kind]}c".encode(),
    ]
