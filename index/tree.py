"""The files of an index as the ranking of files sees them: a snapshot whose texts come from the index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.ranking.contents import NOTHING, Content
from core.ranking.history import Commits, Past
from core.ranking.matching import Documents
from core.ranking.snapshot import Snapshot
from core.ranking.terms import Counts, Terms, number, pack, part_numbers
from index.corpus import Corpus, Inverted


class _NoContents:
    """What a snapshot reads texts with; a tree has them from its index, so asking here is a mistake in this file."""

    def of(self, blobs: Sequence[str]) -> list[Content]:
        raise AssertionError(f"{len(blobs)} texts were asked for that the index has")


@dataclass(frozen=True)
class Tree(Snapshot):
    """The files of a corpus with their history."""

    corpus: Corpus

    @classmethod
    def grown(cls, corpus: Corpus, past: Past) -> Tree:
        """From the past of the commit that the corpus is of."""
        paths = [file.path for file in corpus.files]
        return cls(past, paths, [file.blob for file in corpus.files], _NoContents(), corpus)

    @cached_property
    def texts(self) -> list[Content]:
        """Of each file no more than its length."""
        return [replace(NOTHING, lines=file.text.lines) for file in self.corpus.files]

    @cached_property
    def words(self) -> Documents:
        """Words of the files."""
        return self._of_files(self.corpus.words)

    @cached_property
    def names(self) -> Documents:
        """Names in the files."""
        return self._of_files(self.corpus.names)

    @cached_property
    def definitions(self) -> Documents:
        """The names of their symbols."""
        return Documents.of([self._counted(number(name) for name in self._defined(file)) for file in range(len(self))])

    @cached_property
    def defined_words(self) -> Documents:
        """The words of these names."""
        return Documents.of(
            [
                self._counted(part for name in self._defined(file) for part in part_numbers(name))
                for file in range(len(self))
            ]
        )

    def _defined(self, file: int) -> set[str]:
        return {symbol.last_name for symbol in self.corpus.files[file].text.symbols}

    @staticmethod
    def _counted(terms: Iterable[int]) -> tuple[Terms, Counts]:
        return pack(Counter(set(terms)))

    def _of_files(self, documents: Inverted) -> Inverted:
        """Occurrences in documents put together by file: documents of one file follow each other."""
        files = self.corpus.file_of[documents.rows]
        if not len(files):
            return documents
        starts = np.flatnonzero(np.r_[True, (np.diff(documents.terms) != 0) | (np.diff(files) != 0)])
        counts = np.add.reduceat(documents.counts, starts)
        return Inverted(files[starts], documents.terms[starts], counts, len(self))


def no_past() -> Past:
    """That of a repository of which no commit is known."""
    nothing = np.empty(0, np.int32)
    zeros = np.zeros(1, np.int32)
    commits = Commits(
        [], [], nothing.astype(np.int64), nothing, [], [], zeros, nothing.astype(np.uint32), zeros, nothing,
        nothing.astype(np.uint8), {}, [],
    )  # fmt: skip
    return Past(commits, nothing, nothing, nothing, nothing, nothing, nothing)
