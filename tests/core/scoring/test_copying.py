"""Copying compared with a plain search, and the mix with a model compared with its parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scoring import copying
from core.scoring.copying import ORDERS, Cache, Guesses, continuation, guesses
from core.scoring.ngrams import NgramHashes
from core.scoring.scores import Scores


def plainly(ids: list[int], at: int) -> tuple[int, int]:
    """(guess, index of the n-gram's length in ORDERS) for one token, by trying every earlier position."""
    for number in reversed(range(len(ORDERS))):
        order = ORDERS[number]
        if order > at:
            continue
        run = ids[at - order : at]
        for end in range(at - 1, order - 1, -1):
            if ids[end - order : end] == run:
                return ids[end], number
    return -1, -1


@settings(max_examples=150)
@given(st.lists(st.integers(0, 3), max_size=30), st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_guesses_are_what_followed_the_last_time(earlier: list[int], stream: list[int]) -> None:
    places = np.arange(1, len(stream))
    got = guesses(np.array(earlier, np.int64), np.array(stream, np.int64), places)
    expected = [plainly([*earlier, *stream], len(earlier) + place) for place in places]
    assert got.ids.tolist() == [guess for guess, _ in expected]
    assert got.orders.tolist() == [order for _, order in expected]


@pytest.mark.parametrize(("repeated", "guess"), [(31, 7), (32, 8)])
def test_contexts_of_up_to_32_tokens_are_looked_up(repeated: int, guess: int) -> None:
    """7 followed the whole context; later, 8 followed its last tokens, which decide if so many are looked up."""
    context = list(range(100, 140))
    earlier = [*context, 7, 9, *context[-repeated:], 8]
    assert guesses(np.array(earlier), np.array([*context, 0]), np.array([40])).ids.tolist() == [guess]


def test_only_the_newest_of_a_long_history_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MOST_TOKENS", 4)
    got = guesses(np.array([1, 2, 9, 9]), np.array([1, 2]), np.array([1]))
    assert got.ids.tolist() == [-1]
    got = guesses(np.array([1, 2, 9, 9]), np.array([5, 6, 5, 6, 5, 6]), np.array([1, 3, 5]))
    assert got.ids.tolist() == [-1, 6, 6]


def test_a_continuation_repeats_the_last_one() -> None:
    ids = np.array([5, 6, 7, 8, 9, 1, 5, 6])
    assert continuation(NgramHashes(ids), len(ids), 3, frozenset()) == [7, 8, 9]
    assert continuation(NgramHashes(ids), len(ids), 9, frozenset((9,))) == [7, 8]
    assert continuation(NgramHashes(np.array([1, 2, 3])), 3, 9, frozenset()) == []


def scores(chances: list[float], of_guess: list[float]) -> Scores:
    return Scores(-np.log(chances), candidate_nats=-np.log(of_guess))


def test_a_guess_that_is_right_is_believed_and_one_that_is_wrong_is_not() -> None:
    count = 400
    targets = np.zeros(count, np.int64)
    good = Guesses(np.zeros(count, np.int64), np.full(count, 9))
    bad = Guesses(np.ones(count, np.int64), np.full(count, 9))
    model = scores([0.2] * count, [0.2] * count)
    for guessed, sure in ((good, True), (bad, False)):
        cache = Cache.learn(guessed, model, targets)
        mixed = cache.mix(guessed, model, targets)
        assert (mixed.nats.mean() < 0.1) == sure
        if not sure:  # a hundredth of a nat for having looked
            assert mixed.nats.mean() < model.nats.mean() + 0.01


def test_without_a_guess_the_model_stands_alone() -> None:
    none = Guesses(np.full(5, -1), np.full(5, -1))
    model = scores([0.1, 0.2, 0.3, 0.4, 0.5], [0.9] * 5)
    cache = Cache.learn(none, model, np.zeros(5, np.int64))
    np.testing.assert_allclose(cache.mix(none, model, np.zeros(5, np.int64)).nats, model.nats)


def test_a_mix_is_a_probability() -> None:
    """Over all words: what the model gives each, and the guess on top."""
    words = 7
    chances = np.random.default_rng(0).dirichlet(np.ones(words))
    guess = Guesses(np.full(words, 3), np.full(words, 4))
    model = scores(chances.tolist(), [float(chances[3])] * words)
    cache = Cache(np.random.default_rng(1).random((len(ORDERS), 7)))
    total = np.exp(-cache.mix(guess, model, np.arange(words)).nats).sum()
    assert total == pytest.approx(1)
