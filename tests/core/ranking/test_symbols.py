"""Functions and types of the ranked files, as they are parsed."""

from __future__ import annotations

import pytest

from core.ranking import fact_examples, symbols
from core.ranking.query import Query

_SHAPES = b'''"""Shapes."""
LIMIT = 3


class Circle:
    """Round."""

    colour = "red"

    def area(self):
        def squared(x):
            return x * x
        return 3 * squared(self.radius)

    def draw(self, canvas):
        canvas.stroke(self.colour)


def load_shapes(path):
    return parse(open(path).read())
'''
_PARSED = {"shapes.py": symbols.read("shapes.py", _SHAPES), "notes.md": symbols.read("notes.md", b"# Area\n\nx\n")}
_FILES = {"shapes.py": 0.7, "notes.md": 0.3}


def test_a_file_is_read_into_functions_and_types_outside_of_functions() -> None:
    found = {(one.kind, one.name, one.lines) for one in _PARSED["shapes.py"]}
    assert found == {
        ("class", "Circle", (5, 16)),
        ("function", "Circle.area", (10, 13)),
        ("function", "Circle.draw", (15, 16)),
        ("function", "load_shapes", (19, 20)),
    }


@pytest.mark.parametrize(
    ("path", "source"),
    [("notes.md", b"# Area\n\nx\n"), ("data.bin", b"x"), ("a.py", None), ("a.py", b""), ("b.py", b"\xff" * 500_000)],
)
def test_a_file_without_code_has_none(path: str, source: bytes | None) -> None:
    assert symbols.read(path, source) == []


@pytest.mark.parametrize(
    ("task", "name", "reason"),
    [
        ("Speed up load_shapes", "load_shapes", "the task names it"),
        ("Wrong areas of shapes", "Circle.area", "its name has areas"),
        ("Canvas has no stroke", "Circle.draw", "its code has Canvas, stroke"),
        (
            'Crash\n\nTraceback:\n  File "/x/shapes.py", line 16, in draw\n    canvas.stroke()\nTypeError: no',
            "Circle.draw",
            "the traceback goes through it",
        ),
    ],
)
def test_the_symbol_that_a_task_speaks_of_comes_first(task: str, name: str, reason: str) -> None:
    best = symbols.rank(Query(task), _FILES, _PARSED, top=2)
    assert (best[0].name, best[0].path, best[0].reason) == (name, "shapes.py", reason)
    assert len(best) == 2


def test_nothing_is_ranked_without_a_task_or_without_symbols() -> None:
    assert symbols.rank(Query(""), _FILES, _PARSED) == []
    assert symbols.rank(Query("Area"), {"notes.md": 1.0}, _PARSED) == []


def test_what_a_commit_touched_is_the_innermost_symbol_around_each_old_line() -> None:
    diff = (
        "diff --git a/shapes.py b/shapes.py\n--- a/shapes.py\n+++ b/shapes.py\n@@ -12 +12 @@ class Circle:\n-x\n+y\n"
        "@@ -20,0 +21,2 @@\n+z\n+z\ndiff --git a/new.py b/new.py\n--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+a\n"
    )
    lines = fact_examples.old_lines(diff)
    assert lines == {"shapes.py": [12, 20]}
    assert fact_examples.touched(lines, _PARSED) == {("shapes.py", "Circle.area"), ("shapes.py", "load_shapes")}
