"""Which commits speak of something, the nearest first."""

from __future__ import annotations

from chat.messages import Spoken, nearest
from core.git.touched import Touch


def commit(title: str, body: str = "") -> Touch:
    return Touch("a" * 40, 0, "Ada", "a@example.org", title, body)


OTHERS = [commit(f"Touch the parser, {number}") for number in range(9)]


def titles(found: list[Spoken]) -> list[str]:
    return [one.touch.title for one in found]


def test_rare_words_count_more_than_common_ones() -> None:
    found = nearest([*OTHERS, commit("Rename the lexer"), commit("Fix the parser")], ["parser", "lexer"])
    assert titles(found) == ["Rename the lexer"]


def test_a_title_counts_more_than_a_body() -> None:
    found = nearest([*OTHERS, commit("More", "The lexer is slow."), commit("Lexer")], ["lexer"])
    assert titles(found) == ["Lexer", "More"]


def test_what_is_held_is_a_part_of_the_topic() -> None:
    both, one = nearest([commit("Lexer and scanner"), commit("The scanner"), commit("A lexer")], ["lexer", "scanner"])[
        :2
    ]
    assert both.held == 1.0
    assert one.held == 0.5


def test_a_word_that_no_message_has_is_not_forgotten() -> None:
    (one,) = nearest([commit("The lexer"), *OTHERS], ["lexer", "chess"])
    assert one.held == 0.5
    assert nearest([commit("The lexer"), *OTHERS], ["lexer", "chess", "move"]) == []


def test_how_it_was_changed_decides_between_equals() -> None:
    found = nearest([commit("Extend the lexer"), commit("Remove the lexer")], ["lexer"], ["remov", "lexer"], 50)
    assert titles(found) == ["Remove the lexer", "Extend the lexer"]


def test_without_words_or_commits_nothing_speaks() -> None:
    assert nearest([], ["lexer"]) == nearest(OTHERS, []) == []
