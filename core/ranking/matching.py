"""Terms of a question found in many documents at once, and how much they weigh: Okapi BM25."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.ranking.history import Floats, Ints
from core.ranking.terms import Counts, Terms, number

K1, B = 1.2, 0.75
QUERY_SATURATION = 1.2
"""A word that is asked twice counts 1.4 times, however often at most 2.2 times."""


@dataclass(frozen=True)
class Documents:
    """Documents as rows of counted terms."""

    rows: Ints
    terms: Terms
    counts: Counts
    number: int
    """Of documents, also those without any term."""
    beyond: int = 0
    """Documents that were left out because they have none of the terms that are asked for."""

    @classmethod
    def of(cls, documents: Sequence[tuple[Terms, Counts]]) -> Documents:
        """From (terms, counts) of each document."""
        sizes = [len(terms) for terms, _ in documents]
        rows = np.repeat(np.arange(len(documents), dtype=np.int32), sizes)
        terms = np.concatenate([terms for terms, _ in documents] or [np.empty(0, np.uint32)])
        counts = np.concatenate([counts for _, counts in documents] or [np.empty(0, np.float32)])
        return cls(rows, terms, counts, len(documents))

    @cached_property
    def lengths(self) -> Floats:
        """Terms of each document."""
        return np.bincount(self.rows, self.counts, self.number)

    @cached_property
    def filled(self) -> int:
        """Documents that have any term."""
        return max(int(np.count_nonzero(self.lengths)), 1)

    def find(self, texts: Iterable[str]) -> Found:
        """Where these terms occur."""
        asked = set(map(number, texts))
        return self.find_terms(np.fromiter(asked, np.uint32, len(asked)))

    def find_terms(self, terms: Terms) -> Found:
        """The same for terms."""
        terms = np.unique(terms)
        if not len(terms):
            nothing = np.empty(0, np.int64)
            return Found(self, terms, nothing, nothing)
        places = np.minimum(np.searchsorted(terms, self.terms), len(terms) - 1)
        hits = np.flatnonzero(terms[places] == self.terms)
        return Found(self, terms, hits, places[hits])


@dataclass(frozen=True)
class Found:
    """Occurrences of the terms of a question: `hits` into the documents' terms, `places` into the question's."""

    documents: Documents
    terms: Terms
    hits: NDArray[np.int64]
    places: NDArray[np.int64]

    @cached_property
    def rows(self) -> Ints:
        """The document of each occurrence."""
        return self.documents.rows[self.hits]

    @cached_property
    def shares(self) -> Floats:
        """How much each term tells by being rare (idf)."""
        frequency = np.bincount(self.places, minlength=len(self.terms))
        others = self.documents.filled + self.documents.beyond - frequency
        return np.log1p((others + 0.5) / (frequency + 0.5)).clip(0)

    @cached_property
    def weights(self) -> Floats:
        """Of each occurrence, its idf and saturated count put together."""
        counts = self.documents.counts[self.hits].astype(np.float64)
        lengths = self.documents.lengths
        mean = lengths.sum() / self.documents.filled
        norm = K1 * (1 - B + B * lengths[self.rows] / max(mean, 1e-9))
        return self.shares[self.places] * counts * (K1 + 1) / (counts + norm)

    def asked(self, texts: Iterable[str]) -> Floats:
        """How much each term counts in a part of the question."""
        return self.asked_terms(Counter(map(number, texts)))

    def asked_terms(self, counts: Mapping[int, int]) -> Floats:
        """The same of terms."""
        many = np.array([counts.get(term, 0) for term in self.terms.tolist()], np.float64)
        return many * (QUERY_SATURATION + 1) / (many + QUERY_SATURATION)

    def scores(self, texts: Iterable[str]) -> Floats:
        """BM25 of every document for a part of the question."""
        return self.weighted(self.asked(texts))

    def weighted(self, asked: Floats) -> Floats:
        """BM25 of every document, where each term counts so much."""
        return np.bincount(self.rows, self.weights * asked[self.places], self.documents.number)

    def all_scores(self) -> Floats:
        """BM25 of every document for all terms, each asked for once."""
        return np.bincount(self.rows, self.weights, self.documents.number)

    def best_possible(self, texts: Iterable[str]) -> float:
        """What a document would have that holds every term."""
        return float((self.asked(texts) * self.shares).sum())


def relative(scores: Floats) -> Floats:
    """Scores as a part of the best one."""
    best = scores.max(initial=0)
    return scores / best if best > 0 else scores


def rank_scores(scores: Floats) -> Floats:
    """1 for the best, falling with the logarithm of the rank to 0; 0 where there is no score."""
    order = np.argsort(-scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(len(scores))
    fallen = 1 - np.log1p(ranks) / np.log(len(scores) + 1.0)
    return np.where(scores > 0, fallen.clip(0), 0.0)


def normal(values: Floats) -> Floats:
    """Values as parts of their sum."""
    return values / max(values.sum(), 1e-12)
