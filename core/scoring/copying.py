"""A predictor that copies, and its mix with a model: a cache over the whole earlier history.

For each target, the longest n-gram before it that occurred earlier is looked up; the guess is what followed its most
recent occurrence. History repeats itself so much that this guess alone is right for most tokens. A model that sees a
few hundred tokens knows nothing of what is further back; mixing the guess in, with a weight learned on validation,
gives it that (as in the cache models of Kuhn and De Mori 1990, the pointer mixtures of Merity et al. 2016 and the
nearest-neighbour models of Khandelwal et al. 2019).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from core.scoring.ngrams import NgramHashes
from core.scoring.scores import Ints, Scores

ORDERS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32)
"""Lengths of n-grams that are looked up, in tokens."""
MOST_TOKENS = 1 << 24
"""Of a longer history only the newest tokens are searched."""
_CERTAINTY = np.array([0.02, 0.1, 0.3, 0.6, 0.85, 0.97])
"""Bounds between classes of the probability that the model itself gives the guess."""
_PRIOR = 2.0
"""Made-up guesses of each class, half of them right: they keep the weights of rare classes near the middle."""


@dataclass(frozen=True)
class Guesses:
    """For each target the guess (an id, -1 for none) and the length of the n-gram before it, an index into ORDERS."""

    ids: Ints
    orders: Ints


def guesses(earlier: NDArray[Any], stream: NDArray[Any], positions: Ints) -> Guesses:
    """Guess the tokens at some positions of `stream`, which follows `earlier`, each from all tokens before it."""
    room = max(MOST_TOKENS - len(stream), 0)  # the stream itself stays whole
    ids = np.concatenate([earlier[max(len(earlier) - room, 0) :], stream]).astype(np.int64)
    wanted = positions + (len(ids) - len(stream))
    found, orders = np.full(len(wanted), -1, np.int64), np.full(len(wanted), -1, np.int64)
    hashes = NgramHashes(ids)
    for number, order in enumerate(ORDERS):
        before = last_equal(hashes.of(order), order - 1)
        here = before[wanted - 1]
        known = (wanted >= order) & (here >= 0)
        found[known] = ids[here[known] + 1]
        orders[known] = number
    return Guesses(found, orders)


def last_equal(hashes: NDArray[np.uint64], first: int) -> Ints:
    """For each position the nearest earlier one with the same hash, from `first` on; -1 where there is none."""
    last = np.full(len(hashes), -1, np.int64)
    order = np.argsort(hashes[first:], kind="stable") + first
    same = hashes[order[1:]] == hashes[order[:-1]]
    last[order[1:][same]] = order[:-1][same]
    return last


@dataclass(frozen=True)
class Cache:
    """How much to trust a guess: by the length of the n-gram behind it, and by what the model itself gives it."""

    weights: NDArray[np.float64]
    """(lengths, classes of certainty)."""

    SHAPE: ClassVar[tuple[int, int]] = len(ORDERS), len(_CERTAINTY) + 1
    """Of the weights."""

    def weight(self, order: int, chance: float) -> float:
        """That of one guess behind an n-gram of length ORDERS[order], to which the model itself gives `chance`."""
        return float(self.weights[order, np.searchsorted(_CERTAINTY, chance)])

    @classmethod
    def learn(cls, guessed: Guesses, model: Scores, tokens: NDArray[Any]) -> Cache:
        """The weights under which the mix gives `tokens` the highest probability, by expectation maximization."""
        kinds = _kinds(guessed, model)
        used = kinds >= 0
        hit = (guessed.ids == tokens)[used].astype(np.float64)
        own, kinds = np.exp(-model.nats[used]), kinds[used]
        size = math.prod(cls.SHAPE)
        weights = np.full(size, 0.5)
        total = np.bincount(kinds, minlength=size) + _PRIOR
        for _ in range(200):
            mine = weights[kinds]
            share = mine * hit / np.maximum(mine * hit + (1 - mine) * own, 1e-300)
            new = (np.bincount(kinds, weights=share, minlength=size) + _PRIOR / 2) / total
            done = np.abs(new - weights).max() < 1e-6
            weights = new
            if done:
                break
        return cls(weights.reshape(cls.SHAPE))

    def mix(self, guessed: Guesses, model: Scores, tokens: NDArray[Any]) -> Scores:
        """What model and guess together give the tokens: w * [guess is right] + (1 - w) * p(model)."""
        kinds = _kinds(guessed, model)
        weight = np.where(kinds >= 0, self.weights.reshape(-1)[np.maximum(kinds, 0)], 0.0)
        return Scores.of_probabilities(weight * (guessed.ids == tokens) + (1 - weight) * np.exp(-model.nats))


def continuation(hashes: NgramHashes, at: int, most: int, stop: frozenset[int]) -> list[int]:
    """What copying writes at a position: the tokens after the most recent occurrence of the longest n-gram before it.

    It ends before an id in `stop`, and after `most` tokens.
    """
    for order in reversed(ORDERS):
        if order > at:
            continue
        made = hashes.of(order)
        same = np.flatnonzero(made[order - 1 : at - 1] == made[at - 1]) + order - 1
        if len(same):
            following = hashes.ids[same[-1] + 1 : min(same[-1] + 1 + most, at)].tolist()
            return list(itertools.takewhile(lambda id_: id_ not in stop, following))
    return []


def _kinds(guessed: Guesses, model: Scores) -> Ints:
    """Class of each guess; -1 where there is none."""
    assert model.candidate_nats is not None
    certainty = np.searchsorted(_CERTAINTY, np.exp(-model.candidate_nats))
    return np.where(guessed.orders >= 0, guessed.orders * Cache.SHAPE[1] + certainty, -1)
