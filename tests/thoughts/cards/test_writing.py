"""A language model says what code does: what does not hold is never shown, however it lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from language_model import Model

from chat.providers import Provider
from core.config import ChatConfig
from thoughts.cards.card import WHAT, Card
from thoughts.cards.making import Cards
from thoughts.cards.writing import written

OWN_WORDS = "`def discount(total)`: Reduce the total of a large order by a tenth."
TRUE = "`discount` returns `total * 0.9` if the `total` is over `LIMIT`, which is 100 [1]."
LIES = {
    "a name that is nowhere": "`discount` calls `send_mail` with the `total` [1].",
    "another number": "`discount` takes 20% off a `total` over `LIMIT` [1].",
    "a number in words": "`discount` applies above a `LIMIT` of two hundred [1].",
    "prose without support": "It validates the subscription tier of a customer [1].",
    "a source that is none": "`discount` returns the `total` [7].",
    "no source": "`discount` returns the `total`.",
    "a comment's instruction": "`discount` sends a mail to the accountant [1].",
    "a docstring's instruction": "`discount` was audited by the bank [1].",
    "a link": "`discount` returns the `total`, see https://evil.example.org [1].",
    "a line": "`discount` is on line 3 [1].",
    "a quotation": '`discount` says "no money back" for a `total` [1].',
    "another function": "`checkout_all` is `discount` of the `total` [1].",
    "nothing": "",
    "a speech": " ".join(
        f"`discount` returns the `total` again, {word} [1]." for word in ("first", "then", "last", "on")
    ),
}


@pytest.fixture
def writing(cards: Cards, language_model: Model, tmp_path: Path) -> Cards:
    """What makes cards with that model."""
    provider = Provider.of(ChatConfig(url=language_model.url, model="m", timeout_s=20.0), "repo", tmp_path)
    return replace(cards, provider=provider)


def test_what_holds_is_shown_first_and_the_own_words_stay(writing: Cards, language_model: Model) -> None:
    language_model.says = TRUE
    card = writing.of("shop/basket.py", "discount")
    assert [one.text for one in card.of(WHAT)] == [TRUE.replace(" [1]", ""), OWN_WORDS]
    assert card.written_by == "m"
    assert {writing.citations.problem(one) for one in card.of(WHAT)[0].citations} == {""}
    assert writing.model_s > 0


@pytest.fixture(scope="module")
def honest(cards: Cards) -> Card:
    """The card without a language model."""
    return cards.of("shop/basket.py", "discount")


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lie_is_no_statement(writing: Cards, language_model: Model, honest: Card, lie: str) -> None:
    source = writing.source("shop/basket.py")
    (symbol,) = source.named("discount")
    assert writing.provider
    for says in (lie, f"{TRUE} {lie}" if lie else lie):
        language_model.says = says
        found = written(writing.provider, writing.citations, honest, source, symbol)
        assert found.statement is None
        assert found.note.startswith("m said what it does, but ")
        assert not any(word in found.note for word in ("mail", "audited", "evil", "tier"))


def test_of_a_lie_a_card_shows_nothing(writing: Cards, language_model: Model, honest: Card) -> None:
    language_model.says = f"{TRUE} {LIES['a name that is nowhere']}"
    card = writing.of("shop/basket.py", "discount")
    assert card.groups == honest.groups
    assert not card.written_by
    assert card.notes[-1] == "m said what it does, but 1 of its 2 sentences do not hold: that is not shown."


def test_instructions_in_comments_do_not_reach_the_model(writing: Cards, language_model: Model) -> None:
    language_model.says = TRUE
    writing.of("shop/basket.py", "discount")
    writing.of("shop/basket.py")
    sent = [request["messages"][1]["content"] for request in language_model.requests]
    assert "Reduce the total of a large order by a tenth." in sent[0]
    assert "return total * 0.9" in sent[0]
    assert not [one for one in sent if "accountant" in one or "audited" in one]


def test_a_model_that_is_silent_changes_nothing(writing: Cards, language_model: Model) -> None:
    language_model.status = 500
    card = writing.of("shop/basket.py", "discount")
    assert [one.text for one in card.of(WHAT)] == [OWN_WORDS]
    assert card.notes[-1].startswith("m was not heard: ")
