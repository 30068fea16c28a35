"""Tests for core/chunking/heads.py."""

import pytest

from core.chunking.heads import comments_of, without_comments, without_marks


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("/// Adds.\n///\n///   Twice.", "Adds.\n\n  Twice."),
        ("//! Of the module.", "Of the module."),
        ("/** Adds. **/", "Adds."),
        ("/*\n * Adds.\n *  - twice */", "Adds.\n - twice"),
        ('r"""Adds.\n\n    Twice.\n    """', "Adds.\n\nTwice."),
        ("'one line'", "one line'"),
        ('Says """ and more', 'Says """ and more'),
        ("## Adds  \n# twice\t", "Adds\ntwice"),
        ("-- Adds", "Adds"),
        ("", ""),
    ],
)
def test_marks_of_comments_go_at_both_ends_of_each_line(comment: str, text: str) -> None:
    assert without_marks(comment) == text


def test_attributes_are_no_comments() -> None:
    lead = "/// Adds.\n  #[inline]\n@Test\n#![allow(dead_code)]\n[Fact]\n# twice"
    assert comments_of(lead) == "/// Adds.\n# twice"


@pytest.mark.parametrize(
    "attribute",
    [
        '#[command(\n    name = "fd (",\n    version,\n)]',
        '@app.route(\n    "/x",\n    methods=["GET"],\n)',
        "@Table(indexes = {\n  @Index(name = ')')\n})",
    ],
)
def test_an_attribute_may_have_several_lines(attribute: str) -> None:
    assert comments_of(f"/// Adds.\n{attribute}\n/// twice") == "/// Adds.\n/// twice"


def test_a_comments_line_that_begins_like_an_attribute_takes_no_others_along() -> None:
    assert comments_of("/**\n  @param x (see below\n  Adds.\n*/") == "/**\n  Adds.\n*/"


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("int f(\n  int a, //!< [in] one\n  int b /* two\n three */\n)", "int f(\n  int a, \n  int b \n)"),
        ("it('see http://x', `a // b`, () => // c", "it('see http://x', `a // b`, () => "),
        ("fn f<'a>(x: &'a str) // it's", "fn f<'a>(x: &'a str) "),
        ('fun f(x: String = "// x /*") /* open', 'fun f(x: String = "// x /*") '),
    ],
)
def test_comments_in_a_head(head: str, code: str) -> None:
    assert without_comments(head) == code
