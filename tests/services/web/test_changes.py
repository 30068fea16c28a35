"""Changes as lines with signs and colours."""

from __future__ import annotations

from services.web.changes import MOST_COMPARED, changed_lines


def test_lines_have_signs_and_colours() -> None:
    found = changed_lines("def f():\n    return 1\n", "def f():\n    return 2", "a.py")
    assert [(one.sign, one.kind) for one in found] == [(" ", ""), ("-", " removed"), ("+", " added")]
    assert '<span class="k">def</span>' in found[0].html


def test_a_side_may_be_empty_and_lines_are_escaped() -> None:
    found = changed_lines("", "<b>\r\nx\u202ey\n\n", "a.unknown")
    assert [(one.sign, str(one.html)) for one in found] == [("+", "&lt;b&gt;"), ("+", "x\\u202ey"), ("+", "")]
    assert changed_lines("", "", "a.py") == []
    assert [one.sign for one in changed_lines("x", "", "")] == ["-"]


def test_sides_that_are_too_long_to_compare_stand_one_after_the_other() -> None:
    text = "same\n" * (MOST_COMPARED // 2)
    assert {one.sign for one in changed_lines(text, text, "a.py")} == {" "}
    longer = changed_lines(text, text + "more\n", "a.py")
    assert [one.sign for one in longer] == ["-"] * (MOST_COMPARED // 2) + ["+"] * (MOST_COMPARED // 2 + 1)
