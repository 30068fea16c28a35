"""Blank lines that come or go with a symbol."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from builders import Repo
from test_semantic_chunker import assert_sound, last

MakeRepo = Callable[[str], Repo]
_NUMBERS = itertools.count()

JAVA = "class A {\n  int one() {\n    return 1;\n  }\n{new}\n  int two() {\n    return 2;\n  }\n}\n"
METHOD = "\n  int half() {\n    return 0;\n  }\n"
TESTS = "#include <a.h>\n\nTEST(A, One)\n{\n  one();\n}\n{new}\nTEST(A, Two)\n{\n  two();\n}\n"
TEST = "\nTEST(A, Half)\n{\n  half();\n}\n"
SCRIPT = "import { a } from 'a';\n\nfunction one() {\n  a();\n}\n{new}"
FUNCTIONS = "\nfunction two() {\n  a();\n}\n\n\nfunction three() {\n  a();\n}\n"


def changed(make_repo: MakeRepo, path: str, before: str, after: str, **options: int) -> dict[str | None, str]:
    """Change types by name; every changed line is in one chunk."""
    repo = make_repo(f"blanks-{next(_NUMBERS)}")
    repo.commit("base", {path: before})
    repo.commit("x", {path: after})
    assert_sound(repo, **options)
    return {name: chunk.change_type for (_, name), chunk in last(repo).items()}


@pytest.mark.parametrize(
    ("path", "frame", "new", "expected"),
    [
        ("A.java", JAVA, METHOD, {"A.half": "function"}),
        ("a.cc", TESTS, TEST, {"A::Half": "test"}),
        ("a.js", SCRIPT, FUNCTIONS, {"two": "function", "three": "function"}),
        (
            "a.py",
            "class A:\n    def one(self):\n        pass\n{new}",
            "\n    def two(self):\n        pass\n",
            {"A.two": "function"},
        ),
    ],
)
def test_they_go_with_it(make_repo: MakeRepo, path: str, frame: str, new: str, expected: dict[str, str]) -> None:
    before, after = frame.replace("{new}", ""), frame.replace("{new}", new)
    assert changed(make_repo, path, before, after) == {name: f"new_{kind}" for name, kind in expected.items()}
    assert changed(make_repo, path, after, before) == {name: f"deleted_{kind}" for name, kind in expected.items()}


def test_they_go_with_the_ends_of_long_code(make_repo: MakeRepo) -> None:
    body = "".join(f"    call{number}();\n" for number in range(60))
    long = f"\n\n  int half() {{\n{body}  }}\n\n"
    found = changed(make_repo, "A.java", JAVA.replace("{new}", ""), JAVA.replace("{new}", long), max_code_bytes=256)
    assert found == {"A.half": "new_function"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Not beside one, or not blank lines alone.
        (JAVA.replace("{new}", ""), JAVA.replace("{new}", "\n"), {"A": "formatting"}),
        (
            JAVA.replace("{new}", ""),
            JAVA.replace("{new}", METHOD).replace("class A {\n", "class A {\n\n"),
            {"A": "formatting", "A.half": "new_function"},
        ),
        (
            JAVA.replace("{new}", ""),
            JAVA.replace("{new}", "\n  int x = 1;\n" + METHOD),
            {"A": "modified_class", "A.half": "new_function"},
        ),
    ],
)
def test_others_stay_where_they_are(make_repo: MakeRepo, before: str, after: str, expected: dict[str, str]) -> None:
    assert changed(make_repo, "A.java", before, after) == expected
