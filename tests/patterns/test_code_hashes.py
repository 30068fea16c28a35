"""What a change is known by."""

from __future__ import annotations

import pytest

from patterns.code_hashes import change_hash, shape_hash, solution_hash, tokens


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("python", "x = f( a )  # why\n", "x=f(a)"),
        ("rust", "let x = 1; // one\n/* two\nlines */ f(x)", "let x = 1;\n  f(x)"),
        ("sql", "select a -- first\nfrom t", "select a from t"),
        ("php", "f($a); // why", "f($a);"),
    ],
)
def test_comments_and_white_space_do_not_count(language: str, one: str, other: str) -> None:
    assert tokens(one, language) == tokens(other, language)


@pytest.mark.parametrize(
    ("language", "code"), [("python", "x = '# no comment'"), ("go", 'x := "http://host"'), ("python", "a // b")]
)
def test_what_looks_like_a_comment_counts(language: str, code: str) -> None:
    assert len(tokens(code, language)) == {"python": 3, "go": 4}[language] + ("//" in code and language == "python")


def test_the_way_back_and_another_before_are_other_changes() -> None:
    a, b, c = ([name] for name in (b"a", b"b", b"c"))
    assert solution_hash("python", a, b) == solution_hash("python", a, b)
    others = {solution_hash("python", *sides) for sides in ((a, b), (b, a), (c, b), (a + b, []), ([], a + b))}
    assert len(others | {solution_hash("go", a, b)}) == 6


def test_comments_count_where_nothing_else_differs_or_the_language_is_unknown() -> None:
    assert change_hash("python", "f()  # one", "g()") == change_hash("python", "f()", "g()  # two")
    different = {change_hash("python", "", f"# {why}") for why in ("one", "two")}
    different |= {change_hash("python", "f()", f"f()  # {why}") for why in ("one", "two")}
    different |= {change_hash("", "#include <a.h>", f"#include <{name}.h>") for name in ("b", "c")}
    assert len(different) == 6


def test_shapes_forget_names_and_literals_but_not_which_are_the_same() -> None:
    def shape(before: str, after: str) -> str:
        return shape_hash("python", tokens(before, "python"), tokens(after, "python"))

    assert shape("return f(x, 1)", "return f(x, 2)") == shape("return g(y, 'a')", "return g(y, 'b')")
    assert shape("return f(x, 1)", "return f(x, 1, 1)") != shape("return f(x, 1)", "return f(x, 1, 2)")
    assert shape("if x: f()", "f()") != shape("while x: f()", "f()")
