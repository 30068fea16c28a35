"""What is kept of a text is all that a ranking needs, and comes back as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ranking import contents
from core.ranking.terms import number


def test_a_text_has_words_names_and_definitions() -> None:
    read = contents.read(b"def load_file(path):\n    return open(path)\n\n\nclass FileLoader:\n    pass\n")
    assert {number("load_file"), number("path"), number("FileLoader")} <= set(read.names.tolist())
    assert read.name_counts[read.names.tolist().index(number("path"))] == 2
    assert set(read.defined.tolist()) == {number("load_file"), number("FileLoader")}
    assert set(read.defined_words.tolist()) == {number("load"), number("file"), number("loader")}
    assert read.lines == 7


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (b"pub async fn accept(&self) {}", "accept"),
        (b"func (r *Router) Handle(path string) {", "Handle"),
        (b"export default class Button extends X {", "Button"),
        (b"struct Point { int x; };", "Point"),
        (b"trait Service<T> {", "Service"),
        (b"interface Shape { }", "Shape"),
    ],
)
def test_definitions_of_several_languages(source: bytes, name: str) -> None:
    assert number(name) in contents.read(source).defined


@pytest.mark.parametrize("data", [None, b"", b"GIF89a\0\x01\x02"])
def test_what_has_no_text_has_no_terms(data: bytes | None) -> None:
    assert contents.read(data) is contents.NOTHING


@given(st.binary(max_size=2000))
def test_bytes_of_a_content_are_the_content(data: bytes) -> None:
    one = contents.read(data)
    other = contents.from_numbers(contents.numbers(one))
    for name in contents.Content.__dataclass_fields__:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_only_the_beginning_of_a_huge_file_is_read() -> None:
    read = contents.read(b"first " + b"x" * contents.MAX_BYTES + b" last")
    assert number("first") in read.names
    assert number("last") not in read.names
