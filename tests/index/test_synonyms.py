"""Words that code has in the place of those that people ask with."""

from __future__ import annotations

from core.ranking.terms import stem
from index.synonyms import MOST_ADDED, added, others


def test_a_word_in_any_form_has_its_synonyms() -> None:
    assert "remove" in others(stem("deleted"))
    assert others(stem("colours")) == ("color",)
    assert others("basket") == ()


def test_what_a_question_says_itself_is_not_added() -> None:
    assert added(["colour"]) == ["color"]
    assert added(["colour", "color"]) == []


def test_a_long_question_gets_no_more_than_enough() -> None:
    asked = ["delete", "create", "close", "send", "write", "cut", "find", "dirty", "show", "limit"]
    assert len(added(map(stem, asked))) == MOST_ADDED
