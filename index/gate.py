"""A repository's own weights of the search: learned from its older questions, kept where newer ones show that they are
better.

The weights that come with the program stay unless the repository's own are better beyond chance; where questions show
beyond chance that BM25 over symbols alone is better than what was chosen, its order is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core import statistics
from core.ranking.features import Features
from core.ranking.history import Floats, Mask
from core.ranking.model import softmax
from index import fitting
from index.examples import Answered, with_weights
from index.fitting import ByClass
from index.search import CLASSES, Weights, weighted

RIDGE = 40.0
"""How strongly own weights are drawn to the shipped ones."""
LEAST = 12
"""Newer questions, by what they were made from; with fewer nothing is replaced."""
NEWER = 3
"""One part in so many is newer, and checked on."""
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


def gated(questions: Sequence[Answered], shipped: Weights) -> tuple[Weights, list[str]]:
    """The weights for a repository with these questions, the newest first, and a sentence for files and symbols."""
    known = [one for one in questions if one.kind in fitting.LEARNED_FROM]
    files, of_files = _chosen(FILES, known, shipped.files)
    asked = [with_weights(one, Weights(files, {}, [])) for one in known]
    documents, of_documents = _chosen(DOCUMENTS, asked, shipped.documents)
    return Weights(files, documents, shipped.made_from), [of_files, of_documents]


def _chosen(part: Part, questions: Sequence[Answered], shipped: ByClass) -> tuple[ByClass, str]:
    known = [one for one in questions if part.right(one).any()]
    held = newer(known)
    checked = [one for one in known if one.name in held]
    own = part.fit([one for one in known if one.name not in held], RIDGE, shipped)
    gain = _mean(checked, lambda one: part.nats(one, shipped) - part.nats(one, own))
    kept, why = (own, "own weights") if _is_above(gain) else (shipped, "shipped weights")
    fair = [one for one in (checked if kept is own else known) if part.baseline(one) is not None]
    loss = _mean(fair, lambda one: 1 / (part.baseline(one) or 1) - part.rank(one, kept))
    if _is_above(loss):
        kept, why = part.words, "BM25 over symbols alone"
    return kept, f"{part.name}: {why}; {_sentence(gain, loss)}"


def newer(questions: Sequence[Answered]) -> set[str]:
    """What the newer commits are called, and as large a part of the docstrings."""
    found: set[str] = set()
    for is_docstring in (True, False):
        names = list(dict.fromkeys(one.name for one in questions if (one.kind == "docstring") == is_docstring))
        found |= set(names[: len(names) // NEWER])
    return found


def _is_above(estimate: Mapping[str, Any]) -> bool:
    """A mean is above 0 beyond chance."""
    return estimate["n"] >= LEAST and estimate["low"] is not None and estimate["low"] > 0


def _mean(questions: Iterable[Answered], value: Callable[[Answered], float]) -> dict[str, Any]:
    """The mean over what questions were made from, with its interval."""
    values: dict[str, list[float]] = {}
    for one in questions:
        values.setdefault(one.name, []).append(value(one))
    return statistics.of_mean(np.array([np.mean(some) for some in values.values()]), samples=SAMPLES, seed=SEED)


def _sentence(gain: Mapping[str, Any], loss: Mapping[str, Any]) -> str:
    mine, words = _estimate(gain, "nats"), _estimate(loss, "reciprocal rank")
    return f"own against shipped weights: {mine}; BM25 against the better: {words}"


def _estimate(one: Mapping[str, Any], unit: str) -> str:
    if one["n"] < LEAST or one["low"] is None:
        return f"too few questions ({one['n']})"
    return f"{one['mean']:+.3f} {unit} [{one['low']:+.3f}, {one['high']:+.3f}] on {one['n']} questions"
