"""Which removed lines go on as which added ones."""

from __future__ import annotations

from patterns.moves import ChangedLines, essence, has_word, moved


def hunk(removed: str, added: str, *, file: int = 0, start: int = 0) -> ChangedLines:
    """Removed lines are numbered from `start`, added ones from 100 more."""
    old, new = ([essence(line.encode()) for line in text.split("\n") if text] for text in (removed, added))
    return ChangedLines(file, range(start, start + len(old)), old, range(start + 100, start + 100 + len(new)), new)


def test_blanks_quotes_and_commas_do_not_count() -> None:
    assert essence(b"  f('a', b)\r") == essence(b'f("a",b)')
    assert [has_word(essence(line)) for line in (b"  }),", b"x", "é".encode())] == [False, True, True]


def test_a_line_that_is_formatted_differently_goes_on() -> None:
    assert moved([hunk("x = [1,2]", "    x = [1, 2]")]) == {0: 100}


def test_one_line_becomes_several_and_several_one() -> None:
    assert moved([hunk("fun(a, b)", "fun(\n    a,\n    b,\n)")]) == {0: 100}
    assert moved([hunk("fun(\n    a,\n    b,\n)\ng()", "fun(a, b)\nh()")]) == dict.fromkeys(range(4), 100)


def test_more_code_on_a_line_is_another_line() -> None:
    assert moved([hunk("return f", "return f(x)")]) == {}
    assert moved([hunk("return f(x)", "return f")]) == {}


def test_moved_code_goes_on_within_a_file_and_in_another() -> None:
    away, here = hunk("def f():\n    pass", ""), hunk("", "def f():\n    pass", start=50)
    assert moved([away, here]) == {0: 150, 1: 151}
    elsewhere = hunk("", "def other_name():\n    pass", file=1, start=50)
    gone = hunk("def other_name():\n    pass", "")
    assert moved([gone, elsewhere]) == {0: 150}, "short lines are everywhere"


def test_each_added_line_is_taken_once() -> None:
    assert moved([hunk("total = 1\ntotal = 1\ntotal = 1", ""), hunk("", "total = 1", start=50)]) == {0: 150}
