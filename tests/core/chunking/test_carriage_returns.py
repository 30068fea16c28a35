"""Lines that end with carriage returns: a language counts them, git does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import Repo
from test_semantic_chunker import assert_sound, last

from core.chunking.parsing import outline

CODE = (
    "# first line\nimport os\n\n\ndef one(a):\n    return 1\n\n\n"
    "class A:\n    # of A\n    def two(self):\n        return 2\n"
)


def symbols(source: bytes) -> dict[str, tuple[int, int]]:
    found = outline(source, "python", "x.py")
    assert found is not None
    return {found.symbol(one).qualified_name: found.rows(one) for one in found.owners()}


def test_carriage_returns_before_line_feeds_are_one_line_end() -> None:
    """Twice converted files have two of them."""
    rows = symbols(CODE.encode())
    assert rows == {"one": (4, 5), "A": (8, 11), "A.two": (10, 11)}
    for end in ("\r\n", "\r\r\n"):
        assert symbols(CODE.replace("\n", end).encode()) == rows


def test_a_symbol_that_shares_its_line_is_left_to_the_file() -> None:
    assert symbols(CODE.replace("\n", "\r").encode()) == {}
    mixed = CODE.replace("one(a):\n", "one(a):\r").replace("def two(self):\n", "def two(self):\r")
    assert symbols(mixed.encode()) == {"one": (4, 4), "A": (7, 9), "A.two": (9, 9)}
    assert symbols(CODE.replace("return 1\n\n\n", "return 1\r\r\r").encode()) == {}


@pytest.mark.parametrize("end", ["\r", "\r\r\n", "\r\n"])
@pytest.mark.parametrize(
    ("path", "before", "after", "kind"),
    [
        ("m.py", CODE, CODE.replace("return 1", "return 3"), "modified_"),
        ("m.py", CODE, CODE.replace("first", "second"), "documentation"),
        ("m.c", "// first\nint f() {\n  return 1;\n}\n", "// first\nint f() {\n  return 2;\n}\n", "modified_"),
        ("m.rb", "# first\ndef f\n  1\nend\n", "# first\ndef f\n  2\nend\n", "modified_"),
    ],
)
def test_code_is_told_from_comments(
    make_repo: Callable[[str], Repo], path: str, before: str, after: str, kind: str, end: str
) -> None:
    repo = make_repo("returns")
    repo.commit("base", {path: before.replace("\n", end).encode()})
    repo.commit("edit", {path: after.replace("\n", end).encode()})
    assert_sound(repo)
    assert [chunk.change_type.startswith(kind) for chunk in last(repo).values()] == [True]


@pytest.mark.parametrize(("old", "new"), [("\r", "\n"), ("\n", "\r"), ("\r", "\r\n")])
def test_other_line_ends_are_no_change_of_code(make_repo: Callable[[str], Repo], old: str, new: str) -> None:
    repo = make_repo("returns")
    repo.commit("base", {"m.py": CODE.replace("\n", old).encode()})
    repo.commit("edit", {"m.py": CODE.replace("\n", new).encode()})
    assert_sound(repo)
    assert {c.change_type for c in last(repo).values()} == {"formatting"}


def test_only_line_feeds_end_lines(make_repo: Callable[[str], Repo]) -> None:
    """Neither those that other programs take for line ends."""
    strange = "# a\u2028b\x85c\x0bd\x0ce\x1cf\ndef one():\n    return '\u2029'\n"
    repo = make_repo("strange")
    repo.commit("base", {"m.py": strange.encode()})
    repo.commit("edit", {"m.py": strange.replace("'\u2029'", "'\u2029\u2028'").encode()})
    assert_sound(repo)
    assert {name: (c.change_type, c.line_range) for (_, name), c in last(repo).items()} == {
        "one": ("modified_function", (2, 3))
    }
