"""Which line took the place of which, and the tokens of a line."""

from __future__ import annotations

import pytest
from patterns_made_up import chunk

from patterns.line_edits import pieces, replaced, tokens


@pytest.mark.parametrize(
    ("line", "language", "expected"),
    [
        ("x = f(a, 'b c')  # why", "python", ["x", "=", "f", "(", "a", ",", "'b c'", ")", "# why"]),
        ('log(rb"a\\"b", 1.5)', "python", ["log", "(", 'rb"a\\"b"', ",", "1.5", ")"]),
        ("fn f<'a>(x: &'a str, c: char = 'x') // y", "rust", [
            *("fn", "f", "<", "'", "a", ">", "(", "x", ":", "&", "'", "a", "str", ",", "c", ":", "char", "=", "'x'"),
            *(")", "// y"),
        ]),
        ("a = `b ${c}`; /* d */ e()", "javascript", ["a", "=", "`b ${c}`", ";", "/* d */", "e", "(", ")"]),
        ("don't", "python", ["don", "'", "t"]),
        ("x = " + "y" * 400, "python", []),
    ],
)  # fmt: skip
def test_tokens_of_a_line(line: str, language: str, expected: list[str]) -> None:
    assert tokens(line, language) == expected


def test_pieces_together_are_the_line() -> None:
    line = "assert  f( a ) ==\t'b  c'  # d"
    assert "".join(pieces(line, "python")) == line
    assert [piece for piece in pieces(line, "python") if not piece.isspace()] == tokens(line, "python")


def test_lines_in_equal_number_are_paired_in_order() -> None:
    found = replaced(chunk("@@ -1,3 +1,3 @@\n def f():\n-    a(1)\n-    b(2)\n+    a(2)\n+    c(2)\n"))
    assert found.pairs == (("a(1)", "a(2)"), ("b(2)", "c(2)"))
    assert (found.path, found.language, found.names) == ("src/a.py", "python", frozenset(("a", "c")))


def test_a_line_stands_beside_the_one_that_is_most_like_it() -> None:
    found = replaced(chunk("@@ -1 +1,3 @@\n-total = sum(values)\n+start()\n+total = sum(all_values)\n+end()\n"))
    assert found.pairs == (("total = sum(values)", "total = sum(all_values)"),)
    back = replaced(chunk("@@ -1,3 +1 @@\n-start()\n-total = sum(values)\n-end()\n+total = sum(all_values)\n"))
    assert back.pairs == (("total = sum(values)", "total = sum(all_values)"),)


def test_lines_do_not_cross() -> None:
    found = replaced(chunk("@@ -1,2 +1,3 @@\n-alpha_one()\n-beta_two()\n+beta_two(1)\n+alpha_one(1)\n+gamma()\n"))
    assert found.pairs == (("alpha_one()", "alpha_one(1)"), ("beta_two()", "gamma()"))


def test_a_removed_line_behind_an_added_one_begins_another_run() -> None:
    patch = "@@ -1,9 +1,9 @@\n" + "".join(f"-a({number})\n+b({number})\n" for number in range(9))
    assert len(replaced(chunk(patch)).pairs) == 9  # as one run they were too many


def test_runs_that_an_unchanged_line_divides_are_apart() -> None:
    patch = "@@ -1,3 +1,3 @@\n-one(1)\n kept\n+two(1)\n@@ -9 +9 @@\n-three(1)\n+three(2)\n"
    assert replaced(chunk(patch)).pairs == (("three(1)", "three(2)"),)


def test_what_only_looks_different_is_left_out() -> None:
    patch = "@@ -1,3 +1,3 @@\n-f( a )\n-# one\n-if b:\n+    f(a)\n+# two\n+if c:\n"
    assert replaced(chunk(patch)).pairs == (("if b:", "if c:"),)


def test_long_runs_and_other_kinds_of_files_have_no_pairs() -> None:
    lines = range(7)
    patch = "@@ -1,7 +1,7 @@\n" + "".join(f"-a{n}()\n" for n in lines) + "".join(f"+b{n}()\n" for n in lines)
    found = replaced(chunk(patch))
    assert found.pairs == ()
    assert len(found.names) == 7  # they count as common names all the same
    assert replaced(chunk("@@ -1 +1 @@\n-a b\n+a c\n", language="markdown")).names == frozenset()
