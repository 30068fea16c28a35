"""How often identifiers, and what they are made of, occur in each document of a text."""

from __future__ import annotations

import functools
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.ranking.terms import IDENTIFIER, LONGEST, number, part_numbers, split

Numbers = NDArray[Any]
MOST_CELLS = 1 << 22
"""Of a matrix of documents and parts that is filled; a larger one is kept to what occurs."""
Part = TypeVar("Part", int, str)


@dataclass(frozen=True)
class Parted(Generic[Part]):
    """How often parts occur, by document."""

    every: list[Part]
    """Every part once, in rising order."""
    documents: int
    rows: Numbers
    places: Numbers
    """Of each occurrence, its document and its part's place in `every`."""
    counts: Numbers

    def stems(self: Parted[str]) -> Parted[int]:
        """How often the stems of words occur, as terms; stop words are left out."""
        sizes = np.bincount(self.rows, minlength=self.documents).tolist()
        return Spelled(self.every, sizes, self.places, self.counts).parted(part_numbers)


@dataclass(frozen=True)
class Spelled:
    """How often identifiers occur in each document."""

    names: list[str]
    """Every identifier once, in the order in which they come."""
    sizes: Sequence[int]
    """Identifiers of each document."""
    places: Sequence[int] | Numbers
    """Of each document in turn, the places of its identifiers in `names`."""
    counts: Sequence[int] | Numbers

    @classmethod
    def of(cls, documents: Iterable[str]) -> Spelled:
        """Of the texts of documents. What is too long for an identifier is data, and left out."""
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__
        sizes: list[int] = []
        places: list[int] = []
        counts: list[int] = []
        for document in documents:
            found = Counter(IDENTIFIER.findall(document))
            for name in [name for name in found if len(name) > LONGEST]:
                del found[name]
            sizes.append(len(found))
            places += map(numbers.__getitem__, found)
            counts += found.values()
        return cls(list(numbers), sizes, places, counts)

    def numbered(self) -> Parted[int]:
        """How often identifiers occur, as terms."""
        terms = np.array([number(name) for name in self.names], np.int64)
        order = np.argsort(terms, kind="stable")
        ranks = np.empty(len(terms), np.int64)
        ranks[order] = np.arange(len(terms))
        rows = np.repeat(np.arange(len(self.sizes)), self.sizes)
        places = ranks[np.array(self.places, np.int64)]
        return Parted(terms[order].tolist(), len(self.sizes), rows, places, np.array(self.counts, np.int64))

    def words(self) -> Parted[str]:
        """How often the words that identifiers are made of occur, as they are spelled, in lower case."""
        return self.parted(_words)

    def parted(self, parts: Callable[[str], Sequence[Part]]) -> Parted[Part]:
        """How often what `parts` makes of an identifier occurs."""
        own = list(map(parts, self.names))
        spelled = list(itertools.chain.from_iterable(own))
        every = sorted(set(spelled))
        numbers = dict(zip(every, range(len(every)), strict=True))
        flat = np.array(list(map(numbers.__getitem__, spelled)), np.int64)
        of_name = np.array(list(map(len, own)), np.int64)
        names = np.array(self.places, np.int64)
        sizes = of_name[names]
        starts = np.cumsum(of_name) - of_name
        ends = np.cumsum(sizes)
        at = np.arange(sizes.sum()) + np.repeat(starts[names] - ends + sizes, sizes)
        rows = np.repeat(np.arange(len(self.sizes)), self.sizes)
        width = max(len(every), 1)
        keys = np.repeat(rows, sizes) * width + flat[at]
        counts = np.repeat(np.array(self.counts, np.int64), sizes)
        if len(self.sizes) * width <= MOST_CELLS:
            totals = np.bincount(keys, counts, len(self.sizes) * width)
            cells = np.flatnonzero(totals)
            totals = totals[cells]
        else:
            cells, back = np.unique(keys, return_inverse=True)
            totals = np.bincount(back, counts, len(cells))
        return Parted(every, len(self.sizes), cells // width, cells % width, totals)


@functools.lru_cache(maxsize=1 << 15)
def _words(identifier: str) -> tuple[str, ...]:
    return tuple(word for word in split(identifier) if len(word) > 1)
