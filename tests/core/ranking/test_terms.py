"""Words that mean the same are the same term."""

from __future__ import annotations

import numpy as np
import pytest

from core.ranking import terms


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [
        ("parseHTTPHeaders", ("pars", "http", "header")),
        ("snake_case_names", ("snak", "case", "name")),
        ("TestRequests2", ("test", "request")),
        ("of_the", ()),
        ("naïve_Über", ("naïv", "über")),
        ("x" * 100, ("x" * 64,)),
    ],
)
def test_an_identifier_is_cut_into_stems(identifier: str, parts: tuple[str, ...]) -> None:
    assert terms.parts(identifier) == parts


@pytest.mark.parametrize(
    "group",
    [
        ("retry", "retries", "retried"),
        ("copy", "copies", "copied", "copying"),
        ("cookie", "cookies"),
        ("parse", "parses", "parsed", "parsing"),
        ("stop", "stopped", "stopping"),
        ("class", "classes"),
        ("index", "indexes", "indexed", "indexing"),
        ("process", "processes", "processing"),
        ("update", "updates", "updated", "updating"),
    ],
)
def test_forms_of_a_word_have_one_stem(group: tuple[str, ...]) -> None:
    assert len({terms.stem(word) for word in group}) == 1


@pytest.mark.parametrize("word", ["status", "bus", "this", "red", "sing", "pass"])
def test_a_word_that_only_looks_like_a_form_is_left(word: str) -> None:
    assert terms.stem(word) == word


def test_counted_terms_are_in_rising_order() -> None:
    found, counts = terms.counted(["b", "a", "b"])
    assert found.tolist() == sorted(terms.number(text) for text in "ab")
    assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == {terms.number("a"): 1, terms.number("b"): 2}
    assert found.dtype == np.uint32
