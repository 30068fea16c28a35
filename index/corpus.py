"""The documents of one commit, ready to be searched: symbols, and what is left of each file, ordered by path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.ranking.matching import Documents, Found
from core.ranking.paths import stem
from core.ranking.terms import IDENTIFIER, Terms, part_numbers
from index.hits import FILE, Hit
from index.texts import Counts, Symbol, Text
from index.vectors import Centred, Vectors


@dataclass(frozen=True)
class File:
    """A file of the commit."""

    path: str
    blob: str
    text: Text
    vectors: Vectors | None = None
    """Of each document, where there is a table."""


@dataclass(frozen=True)
class Inverted(Documents):
    """Documents whose terms are in rising order, so that those of a question are found without looking at others."""

    @classmethod
    def by_term(cls, rows: NDArray[Any], terms: Terms, counts: NDArray[Any], number: int) -> Inverted:
        """From occurrences in any order; of one term they keep theirs."""
        order = np.argsort(terms, kind="stable")
        return cls(rows[order].astype(np.int32), terms[order], counts[order].astype(np.float32), number)

    def find_terms(self, terms: Terms) -> Found:
        """Where these terms occur."""
        terms = np.unique(terms)
        first, end = (np.searchsorted(self.terms, terms, side) for side in ("left", "right"))
        sizes = end - first
        places = np.repeat(np.arange(len(terms)), sizes)
        hits = np.arange(sizes.sum()) + np.repeat(first - np.cumsum(sizes) + sizes, sizes)
        return Found(self, terms, hits, places)


class Corpus:
    """The documents of some files, and the words and names of each."""

    def __init__(self, files: Iterable[File]) -> None:
        self.files = sorted(files, key=lambda file: file.path)
        sizes = [len(file.text.symbols) + 1 for file in self.files]
        self.starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        """The number of each file's first document, and how many there are."""
        self.file_of = np.repeat(np.arange(len(self.files), dtype=np.int32), sizes)
        """Of each document, the number of its file."""

    def __len__(self) -> int:
        return int(self.starts[-1])

    def symbol(self, document: int) -> Symbol | None:
        """The symbol that a document is; None for what is left of a file."""
        file = int(self.file_of[document])
        own = document - int(self.starts[file])
        symbols = self.files[file].text.symbols
        return symbols[own] if own < len(symbols) else None

    def hit(self, document: int) -> Hit:
        """Where a document is."""
        file, symbol = self.files[int(self.file_of[document])], self.symbol(document)
        if symbol is None:
            return Hit(file.path, 1, max(file.text.lines, 1), file.blob, "", FILE)
        return Hit(file.path, symbol.first, symbol.last, file.blob, symbol.name, symbol.kind, symbol.doc)

    @cached_property
    def by_name(self) -> dict[str, list[int]]:
        """The documents of symbols, by their qualified names and by their own."""
        found: dict[str, list[int]] = {}
        for start, file in zip(self.starts.tolist(), self.files, strict=False):
            for document, symbol in enumerate(file.text.symbols, start):
                for name in {symbol.name, symbol.last_name}:
                    found.setdefault(name, []).append(document)
        return found

    @cached_property
    def words(self) -> Inverted:
        """Words of each document."""
        return self._inverted([file.text.words for file in self.files])

    @cached_property
    def names(self) -> Inverted:
        """Names in each document."""
        return self._inverted([file.text.names for file in self.files])

    @cached_property
    def heads(self) -> Inverted:
        """Words of each symbol's qualified name, its own twice, and of its docstring's first sentence."""
        rows: list[int] = []
        terms: list[int] = []
        for start, file in zip(self.starts.tolist(), self.files, strict=False):
            heads = [(*one.names, one.last_name, *IDENTIFIER.findall(one.doc)) for one in file.text.symbols]
            heads.append(tuple(re.split(r"\W+", stem(file.path))))
            for place, head in enumerate(heads, start):
                own = [part for identifier in head for part in part_numbers(identifier)]
                terms += own
                rows += [place] * len(own)
        keys = np.array(rows, np.int64) << 32 | np.array(terms, np.int64)
        every, counts = np.unique(keys, return_counts=True)
        return Inverted.by_term(every >> 32, (every & 0xFFFFFFFF).astype(np.uint32), counts, len(self))

    @cached_property
    def vectors(self) -> Centred | None:
        """Of each document; None unless all have one."""
        found = [file.vectors for file in self.files if file.vectors is not None]
        return Centred(np.concatenate(found)) if found and len(found) == len(self.files) else None

    def _inverted(self, counts: Sequence[Counts]) -> Inverted:
        counts = counts or [Counts(b"", b"", b"", b"")]
        sizes, terms, many = (np.concatenate(part) for part in zip(*(one.arrays() for one in counts), strict=True))
        return Inverted.by_term(np.repeat(np.arange(len(sizes), dtype=np.int32), sizes), terms, many, len(self))
