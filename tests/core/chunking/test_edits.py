"""Patches as edits of rows, and rows as patches again."""

from __future__ import annotations

import difflib

from hypothesis import given
from hypothesis import strategies as st

from core.chunking.edits import Edit, Edits, render, render_added, render_removed, runs
from core.chunking.outline import Outline

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "-\n", "+x\n", "@@\n"]), max_size=20)


def patch_of(before: list[str], after: list[str], context: int = 3) -> str:
    """A patch as git writes it, for lines that all end in a line feed."""
    return "".join(list(difflib.unified_diff(before, after, n=context))[2:])


def test_edits_of_a_patch() -> None:
    patch = (
        "@@ -1,3 +1,4 @@\n a\n-b\n+B\n+C\n c\n"
        "@@ -10,0 +12 @@ fn x\n+d\n@@ -20 +22,0 @@\n-e\n\\ No newline at end of file\n"
    )
    assert Edits.of_patch(patch).edits == [Edit(1, 1, 1, 2), Edit(10, 0, 11, 1), Edit(19, 1, 22, 0)]


@given(LINES, LINES, st.integers(0, 3))
def test_edits_make_the_new_lines_of_the_old(before: list[str], after: list[str], context: int) -> None:
    edits = Edits.of_patch(patch_of(before, after, context))
    made, at = [], 0
    for edit in edits.edits:
        made += before[at : edit.old] + after[edit.new : edit.new + edit.added]
        at = edit.old + edit.removed
    assert made + before[at:] == after


@given(LINES, LINES)
def test_unchanged_rows_are_aligned(before: list[str], after: list[str]) -> None:
    edits = Edits.of_patch(patch_of(before, after))
    for row, line in enumerate(before):
        if not edits.is_removed(row):
            assert after[edits.to_new(row)] == line
            assert not edits.is_added(edits.to_new(row))
            assert edits.to_old(edits.to_new(row)) == row
    assert sum(map(edits.is_added, range(len(after)))) == sum(edit.added for edit in edits.edits)


@given(LINES, LINES)
def test_rendering_all_rows_gives_an_equal_patch(before: list[str], after: list[str]) -> None:
    edits = Edits.of_patch(patch_of(before, after))
    old, new = (Outline("".join(lines).encode()) for lines in (before, after))
    rows = edits.rows(range(len(before)), range(len(after)))
    assert Edits.of_patch(render(rows, old, new).decode()).edits == edits.edits
    removed = [row for row in range(len(before)) if edits.is_removed(row)]
    added = [row for row in range(len(after)) if edits.is_added(row)]
    again = [*Edits.of_patch(render_removed(removed, edits, old).decode()).edits]
    assert [row for edit in again for row in range(edit.old, edit.old + edit.removed)] == removed
    again = [*Edits.of_patch(render_added(added, edits, new).decode()).edits]
    assert [row for edit in again for row in range(edit.new, edit.new + edit.added)] == added


def test_a_missing_line_end_is_marked() -> None:
    assert render_added([0], None, Outline(b"x")) == b"@@ -0,0 +1,1 @@\n+x\n\\ No newline at end of file\n"


def test_lines_end_at_line_feeds_only() -> None:
    side = Outline(b"a\r\nb\rc\n\x0bd")
    assert [side.line(row) for row in range(len(side))] == [b"a\r\n", b"b\rc\n", b"\x0bd"]
    assert len(Outline(b"")) == 0


def test_runs() -> None:
    assert runs([0, 1, 2, 5, 7, 8]) == [(0, 2), (5, 5), (7, 8)]
    assert runs([]) == []
