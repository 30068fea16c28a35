"""A repository's own weights of the search, kept where they are better on newer questions than those learned from.

Questions are parted in three by age. Weights learned from the oldest are checked on the middle, those learned from both
on the newest; where these are better beyond chance, what is learned from all is kept. Otherwise the weights that come
with the program stay. Where questions show beyond chance that BM25 over symbols alone is better than what was chosen,
its order is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from core import statistics
from core.ranking.features import Features
from core.ranking.history import Floats, Mask
from core.ranking.model import softmax
from index import fitting
from index.examples import Answered
from index.fitting import ByClass
from index.search import CLASSES, Weights, weighted

RIDGE = 40.0
"""How strongly own weights are drawn to the shipped ones."""
LEAST = 12
"""Newer questions, by what they were made from; with fewer nothing is replaced."""
PARTS = 3
"""Of the questions, by age; weights are checked on each but the oldest, learned from all that are older."""
SAMPLES, SEED = 1000, 17
SHARPNESS = 8.0
WORDS_OF_FILES: ByClass = {one: {"s_words": SHARPNESS} for one in CLASSES}
WORDS_OF_DOCUMENTS: ByClass = {one: {"w_all": SHARPNESS} for one in CLASSES}


@dataclass(frozen=True)
class Part:
    """What weights rank: files or documents."""

    name: str
    fit: Callable[[Sequence[Answered], float, ByClass], ByClass]
    candidates: Callable[[Answered], Features]
    right: Callable[[Answered], Mask]
    place: Callable[[Answered, Floats], float]
    baseline: Callable[[Answered], float | None]
    words: ByClass

    def nats(self, one: Answered, weights: ByClass) -> float:
        """How unlikely weights hold the right answers, as the mean of -log(share)."""
        shares = softmax(weighted(self.candidates(one), weights[one.of_class]))
        return float(-np.log(shares[self.right(one)] + 1e-12).mean())

    def rank(self, one: Answered, weights: ByClass) -> float:
        """One through the place of the first right answer."""
        return 1 / self.place(one, weighted(self.candidates(one), weights[one.of_class]))


FILES = Part(
    "files",
    fitting.of_files,
    lambda one: one.files,
    lambda one: one.right_files,
    Answered.file_place,
    lambda one: one.file_place(one.baseline),
    WORDS_OF_FILES,
)
DOCUMENTS = Part(
    "symbols",
    fitting.of_documents,
    lambda one: one.documents,
    lambda one: one.right_documents,
    Answered.document_place,
    lambda one: one.baseline_place,
    WORDS_OF_DOCUMENTS,
)


class Fold(NamedTuple):
    """Questions to learn from, and newer ones to check on."""

    older: Sequence[Answered]
    newer: Sequence[Answered]


def gated(questions: Sequence[Answered], shipped: Weights) -> tuple[Weights, list[str]]:
    """The weights for a repository with these questions, the newest first, and a sentence for files and symbols."""
    known = [one for one in questions if one.kind in fitting.LEARNED_FROM]
    folds = _folds(known)
    files, of_files = _chosen(FILES, known, folds, shipped.files)
    documents, of_documents = _chosen(DOCUMENTS, known, folds, shipped.documents)
    return Weights(files, documents, shipped.made_from), [of_files, of_documents]


def _chosen(part: Part, questions: Sequence[Answered], folds: Sequence[Fold], shipped: ByClass) -> tuple[ByClass, str]:
    by_fold = [part.fit([one for one in fold.older if part.right(one).any()], RIDGE, shipped) for fold in folds]
    checked = [
        (one, own) for fold, own in zip(folds, by_fold, strict=True) for one in fold.newer if part.right(one).any()
    ]
    gain = _mean((one.name, part.nats(one, shipped) - part.nats(one, own)) for one, own in checked)
    if _is_above(gain):
        why, weights = "own weights", part.fit([one for one in questions if part.right(one).any()], RIDGE, shipped)
    else:
        why, weights = "shipped weights", shipped
        checked = [(one, shipped) for one in questions]
    ranks = ((one, part.baseline(one), part.rank(one, own)) for one, own in checked)
    loss = _mean((one.name, 1 / place - rank) for one, place, rank in ranks if place)
    if _is_above(loss):
        why, weights = "BM25 over symbols alone", part.words
    return weights, f"{part.name}: {why}; {_sentence(gain, loss)}"


def _folds(questions: Sequence[Answered]) -> list[Fold]:
    """Each part of the questions but the oldest, to check on, with all that are older."""
    parts = {name: number for number, some in enumerate(_parts(questions)) for name in some}
    return [
        Fold(
            [one for one in questions if parts[one.name] > number],
            [one for one in questions if parts[one.name] == number],
        )
        for number in range(PARTS - 1)
    ]


def _parts(questions: Sequence[Answered]) -> list[list[str]]:
    """What questions were made from in parts of equal size, the newest first; docstrings have no age."""
    found: list[list[str]] = [[] for _ in range(PARTS)]
    for is_docstring in (True, False):
        names = list(dict.fromkeys(one.name for one in questions if (one.kind == "docstring") == is_docstring))
        size = len(names) // PARTS
        for number, part in enumerate(found):
            part.extend(names[number * size : (number + 1) * size if number < PARTS - 1 else None])
    return found


def newer(questions: Sequence[Answered]) -> set[str]:
    """What the newest part of the questions was made from."""
    return set(_parts(questions)[0])


def _is_above(estimate: Mapping[str, Any]) -> bool:
    """A mean is above 0 beyond chance."""
    return estimate["n"] >= LEAST and estimate["low"] is not None and estimate["low"] > 0


def _mean(figures: Iterable[tuple[str, float]]) -> dict[str, Any]:
    """The mean over what questions were made from, with its interval; each is given with its name."""
    values: dict[str, list[float]] = {}
    for name, value in figures:
        values.setdefault(name, []).append(value)
    return statistics.of_mean(np.array([np.mean(some) for some in values.values()]), samples=SAMPLES, seed=SEED)


def _sentence(gain: Mapping[str, Any], loss: Mapping[str, Any]) -> str:
    mine, words = _estimate(gain, "nats"), _estimate(loss, "reciprocal rank")
    return f"own against shipped weights: {mine}; BM25 against the better: {words}"


def _estimate(one: Mapping[str, Any], unit: str) -> str:
    if one["n"] < LEAST or one["low"] is None:
        return f"too few questions ({one['n']})"
    return f"{one['mean']:+.3f} {unit} [{one['low']:+.3f}, {one['high']:+.3f}] on {one['n']} questions"
