"""What stood here the last time: a predictor that copies, and its mix with a model (a cache over all earlier history).

For each token the longest run of tokens before it is looked up that has occurred earlier; what followed
there the last time is the guess. History repeats itself so much that this guess alone is right for most tokens.
A model that sees a few hundred tokens knows nothing of what stands further back; mixed in with a weight that is
learnt on validation, the guess tells it (as the cache models of Kuhn and De Mori 1990, the pointer mixtures of
Merity et al. 2016 and nearest-neighbour models of Khandelwal et al. 2019 do).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.scoring.scores import Ints, Scores

ORDERS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32)
"""Lengths of runs that are looked up, in tokens."""
MOST_TOKENS = 1 << 24
"""Of a longer history only the newest tokens are looked up."""
_CERTAINTY = np.array([0.02, 0.1, 0.3, 0.6, 0.85, 0.97])
"""Bounds between classes of the probability that the model itself gives the guess."""
_PRIOR = 2.0
"""Guesses of a class that are made up, to keep the weights of rare ones near the middle."""


@dataclass(frozen=True)
class Guesses:
    """For each asked token the guess (an id, -1 for none), and how long the run behind it is, as a place in ORDERS."""

    ids: Ints
    orders: Ints

    def accuracy(self, targets: NDArray[Any]) -> float:
        """Share of tokens that are guessed."""
        return float((self.ids == targets).mean()) if len(targets) else 0.0


def guesses(earlier: NDArray[Any], stream: NDArray[Any], places: Ints) -> Guesses:
    """Guess the tokens at `places` of `stream`, which follows `earlier`, each from all that stands before it."""
    room = max(MOST_TOKENS - len(stream), 0)  # the stream itself stays whole
    ids = np.concatenate([earlier[max(len(earlier) - room, 0) :], stream]).astype(np.int64)
    shift = len(ids) - len(stream)
    asked = places + shift
    found, orders = np.full(len(asked), -1, np.int64), np.full(len(asked), -1, np.int64)
    hashes = RunHashes(ids)
    for number, order in enumerate(ORDERS):
        before = last_equal(hashes.of(order), order - 1)
        here = before[asked - 1]
        known = (asked >= order) & (here >= 0)
        found[known] = ids[here[known] + 1]
        orders[known] = number
    return Guesses(found, orders)


class RunHashes:
    """64-bit hashes of all runs of tokens of one length, each at the run's last token."""

    _FACTOR = np.uint64(0x9E3779B97F4A7C15)

    def __init__(self, ids: Ints) -> None:
        self.ids = ids
        mixed = (ids.astype(np.uint64) + np.uint64(1)) * np.uint64(0xBF58476D1CE4E5B9)
        self._made: dict[int, NDArray[np.uint64]] = {1: mixed ^ (mixed >> np.uint64(29))}

    def of(self, length: int) -> NDArray[np.uint64]:
        """Hashes of runs of `length` tokens; the first `length - 1` are of shorter ones."""
        if length not in self._made:
            half = length // 2
            left, right = self.of(length - half), self.of(half)
            made = right.copy()
            made[half:] = (right[half:] ^ (left[:-half] * self._FACTOR + np.uint64(half))) * np.uint64(
                0x94D049BB133111EB
            )
            self._made[length] = made ^ (made >> np.uint64(31))
        return self._made[length]


def last_equal(hashes: NDArray[np.uint64], first: int) -> Ints:
    """For each place the nearest earlier one with the same hash, from `first` on; -1 where there is none."""
    last = np.full(len(hashes), -1, np.int64)
    order = np.argsort(hashes[first:], kind="stable") + first
    same = hashes[order[1:]] == hashes[order[:-1]]
    last[order[1:][same]] = order[:-1][same]
    return last


@dataclass(frozen=True)
class Cache:
    """How much to believe a guess: by the length of the run behind it, and by what the model itself gives it."""

    weights: NDArray[np.float64]
    """(lengths, classes of certainty)."""

    @classmethod
    def learn(cls, guessed: Guesses, model: Scores, targets: NDArray[Any]) -> Cache:
        """The weights under which the mix gives `targets` the highest probability, by expectation maximization."""
        classes = len(_CERTAINTY) + 1
        kinds = _kinds(guessed, model)
        used = kinds >= 0
        hit = (guessed.ids == targets)[used].astype(np.float64)
        own, kinds = np.exp(-model.nats[used]), kinds[used]
        size = len(ORDERS) * classes
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
        return cls(weights.reshape(len(ORDERS), classes))

    def mix(self, guessed: Guesses, model: Scores, targets: NDArray[Any]) -> Scores:
        """What model and guess together give the targets: w * [guess is right] + (1 - w) * p(model)."""
        kinds = _kinds(guessed, model)
        weight = np.where(kinds >= 0, self.weights.reshape(-1)[np.maximum(kinds, 0)], 0.0)
        return Scores.of_probabilities(weight * (guessed.ids == targets) + (1 - weight) * np.exp(-model.nats))


def mixed(
    learn: tuple[Guesses, Scores, NDArray[Any]], apply: tuple[Guesses, Scores, NDArray[Any]]
) -> tuple[Scores, Cache]:
    """The mix on one split, with weights learnt on another; each is (guesses, model's scores, targets)."""
    cache = Cache.learn(*learn)
    return cache.mix(*apply), cache


def continuation(hashes: RunHashes, at: int, most: int, stop: frozenset[int]) -> list[int]:
    """What copying writes at a place: the tokens that followed the last time the longest run before it occurred.

    Up to an id in `stop`, and at most `most`.
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
    return np.where(guessed.orders >= 0, guessed.orders * (len(_CERTAINTY) + 1) + certainty, -1)
