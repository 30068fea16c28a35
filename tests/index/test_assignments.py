"""Constants of Python modules are places that a question may be about."""

from __future__ import annotations

import pytest

from index import texts

MODULE = b'''"""A module."""

import os  # imported

# How large a file
# may be.
MAX_SIZE = 10
PAGES: int = 5
"""On a screen. No more fit."""
lower = 3
A, B = 1, 2
DECLARED: int
TABLE = {  # of both
    1: "one",
}
TABLE = {}


def function():
    INSIDE = 1


class Kept:
    LIMIT = 1
'''


def test_names_in_capitals_of_a_module_are_found() -> None:
    found = texts.parsed(MODULE, "a.py").symbols
    assert [(one.name, one.kind, one.first, one.last, one.doc) for one in found] == [
        ("MAX_SIZE", "constant", 5, 7, "How large a file may be."),
        ("PAGES", "constant", 8, 9, "On a screen."),
        ("TABLE", "constant", 13, 15, ""),
        ("function", "function", 19, 20, ""),
        ("Kept", "class", 23, 24, ""),
    ]


def test_every_word_of_a_module_is_in_one_document() -> None:
    found = texts.parsed(MODULE, "a.py")
    of_document = found.words.rows[found.words.places == found.words.every.index("size")]
    assert of_document.tolist() == [0]
    with_import = found.words.rows[found.words.places == found.words.every.index("import")]
    assert with_import.tolist() == [len(found.symbols)]


@pytest.mark.parametrize("source", [b"", b"MAX = = 1\n)\n", b"MAX = 1", b"# MAX\n"])
def test_a_module_of_any_form_is_read(source: bytes) -> None:
    found = texts.parsed(source, "a.py").symbols
    assert [one.name for one in found] == (["MAX"] if source == b"MAX = 1" else [])


def test_a_comment_at_the_end_of_a_statement_is_not_of_the_next() -> None:
    (found, *_) = texts.parsed(b"import os  # imported\nLIMIT = 1\n", "a.py").symbols
    assert (found.name, found.first, found.doc) == ("LIMIT", 2, "")
