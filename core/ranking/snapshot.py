"""A repository as one commit knows it: its files, their texts, and the history of each. Made once for all questions."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.ranking import paths as of_path
from core.ranking.contents import NOTHING, Content, Contents
from core.ranking.history import ADDED, WIDE_COMMIT, Floats, Ints, Past
from core.ranking.matching import Documents
from core.ranking.terms import Counts, Terms, counted
from core.ranking.timing import When, when

HALF_LIVES = (10, 100, 400, 2000)
"""In commits."""
MESSAGE_HALF_LIFE = 1000
EPSILON = 1e-3


@dataclass(frozen=True)
class Snapshot:
    """The files of a commit in the order of their names, with their blobs."""

    past: Past
    paths: list[str]
    blobs: list[str]
    contents: Contents

    @classmethod
    def of(cls, past: Past, files: Mapping[str, str], contents: Contents) -> Snapshot:
        """From the blob of each path of the tree."""
        paths = sorted(files)
        return cls(past, paths, [files[path] for path in paths], contents)

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def texts(self) -> list[Content]:
        """Of each file; lock files and the like are not read."""
        wanted = [place for place, path in enumerate(self.paths) if not of_path.is_derived(path)]
        found = self.contents.of([self.blobs[place] for place in wanted])
        texts = [NOTHING] * len(self)
        for place, content in zip(wanted, found, strict=True):
            texts[place] = content
        return texts

    @cached_property
    def words(self) -> Documents:
        """Words of the texts."""
        return Documents.of([(text.words, text.word_counts) for text in self.texts])

    @cached_property
    def names(self) -> Documents:
        """Identifiers of the texts."""
        return Documents.of([(text.names, text.name_counts) for text in self.texts])

    @cached_property
    def definitions(self) -> Documents:
        """What the files define."""
        return Documents.of([(text.defined, np.ones(len(text.defined), np.float32)) for text in self.texts])

    @cached_property
    def defined_words(self) -> Documents:
        """Words of what they define."""
        return Documents.of([(text.defined_words, np.ones(len(text.defined_words), np.float32)) for text in self.texts])

    @cached_property
    def path_words(self) -> Documents:
        """Words of the paths; of the name, twice."""
        return Documents.of([_path_terms(path) for path in self.paths])

    @cached_property
    def titles(self) -> Documents:
        """Words of the messages of the past, by commit."""
        commits, order = self.past.commits, self.past.order
        sizes = np.diff(commits.word_offsets)[order]
        first = np.cumsum(sizes) - sizes
        places = np.arange(sizes.sum()) - np.repeat(first - commits.word_offsets[order], sizes)
        rows = np.repeat(np.arange(len(order), dtype=np.int32), sizes)
        return Documents(rows, commits.words[places], np.ones(len(places), np.float32), len(order))

    @cached_property
    def files(self) -> Ints:
        """Of each path, the number of its file in the past; -1 where no commit changed it."""
        known = self.past.commits.path_numbers
        numbers = np.array([known.get(path, -1) for path in self.paths], np.int32)
        return np.where(numbers >= 0, self.past.same[numbers], -1).astype(np.int32)

    @cached_property
    def folder_names(self) -> list[str]:
        """The folders that hold files, in the order of their names."""
        return sorted({of_path.folder(path) for path in self.paths})

    @cached_property
    def folders(self) -> Ints:
        """Of each file, the number of its folder."""
        numbers = {name: number for number, name in enumerate(self.folder_names)}
        return np.array([numbers[of_path.folder(path)] for path in self.paths], np.int32)

    @cached_property
    def additions(self) -> tuple[Ints, Ints]:
        """(commit, folder) of each file that the past added to a folder that is there."""
        commits = self.past.commits
        added = np.flatnonzero(commits.change_kinds[self.past.changes] == ADDED)
        numbers = {name: number for number, name in enumerate(self.folder_names)}
        paths = commits.change_paths[self.past.changes[added]]
        wanted, places = np.unique(paths, return_inverse=True)
        folders = [numbers.get(of_path.folder(commits.paths[path]), -1) for path in wanted.tolist()]
        found = np.array(folders, np.int32)[places] if folders else np.empty(0, np.int32)
        return self.past.change_commits[added][found >= 0], found[found >= 0]

    @cached_property
    def endings(self) -> Ints:
        """Numbers of the endings."""
        return _numbered([of_path.ending(path) for path in self.paths])

    @cached_property
    def kinds(self) -> Floats:
        """Of each file, which of `paths.KINDS` it is of; shape (files, kinds)."""
        return np.array([of_path.kinds_of(path) for path in self.paths]).reshape(-1, len(of_path.KINDS))

    @cached_property
    def sorts(self) -> Ints:
        """Of each file, a number: code, tests, texts and settings are each compared among themselves."""
        tests, changelogs, docs, _, settings, derived, *_ = self.kinds.T if len(self) else np.zeros((8, 0))
        sorts = np.where(docs + changelogs > 0, 2, np.where(settings + derived > 0, 3, 0))
        return np.where(tests > 0, 1, sorts).astype(np.int32)

    @cached_property
    def narrow(self) -> Floats:
        """Of each change of the past, 1 where its commit is narrow enough to say what belongs together."""
        return (self.past.sizes <= WIDE_COMMIT).astype(np.float64)[self.past.change_commits]

    def by_file(self, weights: Floats) -> Floats:
        """Weights of the past's changes, added up by file of this snapshot."""
        totals = np.bincount(self.past.files, weights, len(self.past.same) + 1)
        return totals[self.files] * (self.files >= 0)

    @cached_property
    def activity(self) -> Floats:
        """Shares of all changes by file, halved every so many commits; shape (files, half-lives)."""
        ages = self.past.ages[self.past.change_commits]
        columns = [self.by_file(0.5 ** (ages / half_life)) for half_life in HALF_LIVES]
        return np.stack([column / max(column.sum(), 1e-12) for column in columns], axis=1)

    @cached_property
    def last_ages(self) -> Floats:
        """Commits since each file's last change."""
        last = np.full(len(self.past.same) + 1, -1, np.int64)
        last[self.past.files] = self.past.change_commits  # oldest first, so the newest stays
        return len(self.past) - 1.0 - np.where(self.files >= 0, last[self.files], -1)

    @cached_property
    def births(self) -> Floats:
        """Commits since each file was added."""
        first = np.zeros(len(self.past.same) + 1, np.int64)
        added = self.past.commits.change_kinds[self.past.changes] == ADDED
        first[self.past.files[added]] = self.past.change_commits[added]
        return len(self.past) - 1.0 - np.where(self.files >= 0, first[self.files], 0)

    @cached_property
    def when(self) -> When | None:
        """When the next commit comes."""
        return when(self.past)

    def in_group(self, groups: Ints, values: Floats) -> Floats:
        """Of each file, the sum over all files of its group."""
        return np.bincount(groups, values)[groups] if len(values) else values


@functools.lru_cache(maxsize=1 << 16)
def _path_terms(path: str) -> tuple[Terms, Counts]:
    return counted((*of_path.path_words(path), *of_path.stem_words(path)))


def _numbered(names: Sequence[str]) -> Ints:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int32)
