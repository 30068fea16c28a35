"""A repository's past as arrays, and what of it one commit may know: its ancestors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.ranking.terms import Terms

Ints = NDArray[np.int32]
Floats: TypeAlias = Any
"""NDArray[np.float64]; numpy types most of what is computed with it as anything."""
Mask = NDArray[np.bool_]

ADDED, MODIFIED, DELETED, RENAMED = 0, 1, 2, 3
WIDE_COMMIT = 30
"""Files of a commit from which on it says nothing of what belongs together."""


@dataclass(frozen=True)
class Commits:
    """Commits, parents before children. All of a commit is known from itself alone, whatever came later."""

    hashes: list[str]
    parents: Sequence[Sequence[int]]
    """Numbers of the parents that are known."""
    times: NDArray[np.int64]
    """Committer dates in seconds since 1970, raised to the newest parent's."""
    authors: Ints
    author_names: list[str]
    titles: list[str]
    word_offsets: Ints
    """Where the words of a commit's title begin in `words`; one more than there are commits."""
    words: Terms
    change_offsets: Ints
    """The same of the changed files."""
    change_paths: Ints
    """Numbers into `paths`."""
    change_kinds: NDArray[np.uint8]
    renamed_from: dict[int, int]
    """The old path of each change (by its number) that is a rename."""
    paths: list[str]

    def __len__(self) -> int:
        return len(self.hashes)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Of each commit by its hash."""
        return {hash_: number for number, hash_ in enumerate(self.hashes)}

    @cached_property
    def path_numbers(self) -> dict[str, int]:
        """Of each path."""
        return {path: number for number, path in enumerate(self.paths)}

    def ancestors(self, commit: str) -> Mask:
        """Which commits `commit` knows: itself and its ancestors. Raises KeyError where it is not among them."""
        known = bytearray(len(self))
        last = self.numbers[commit]
        known[last] = 1
        parents = self.parents
        for number in range(last, -1, -1):
            if known[number]:
                for parent in parents[number]:
                    known[parent] = 1
        return np.frombuffer(known, np.bool_)

    def first(self, commit: str) -> str:
        """The first commit of the line that ends with `commit`, by first parents: what makes clones recognizable."""
        number = self.numbers[commit]
        while self.parents[number]:
            number = self.parents[number][0]
        return self.hashes[number]


@dataclass(frozen=True)
class Past:
    """What a commit knows of the history: `order` are its ancestors and itself, oldest first, merges left out."""

    commits: Commits
    order: Ints
    change_commits: Ints
    """For every change, the place of its commit in `order`."""
    changes: Ints
    """Numbers of the changes in `commits`."""
    files: Ints
    """Of each change, its file: a path's number, or that of an earlier name of the same file."""
    same: Ints
    """The file that each path is."""
    sizes: Ints
    """Changed files by place in `order`."""

    @classmethod
    def of(cls, commits: Commits, commit: str) -> Past:
        """What `commit` knows. Does not depend on what else was read, or in which order."""
        mask = commits.ancestors(commit).copy()
        counts = np.diff(commits.change_offsets)
        mask &= counts > 0
        known = np.flatnonzero(mask)
        hashes = commits.hashes
        order = known[
            np.lexsort((np.array([hashes[number] for number in known.tolist()]), commits.times[known]))
        ].astype(np.int32)
        sizes = counts[order]
        change_commits = np.repeat(np.arange(len(order), dtype=np.int32), sizes)
        starts = commits.change_offsets[order]
        first = np.cumsum(sizes) - sizes
        changes = (np.arange(sizes.sum()) - np.repeat(first, sizes) + np.repeat(starts, sizes)).astype(np.int32)
        same = _same_files(commits, changes)
        files = same[commits.change_paths[changes]]
        return cls(commits, order, change_commits, changes, files, same, sizes.astype(np.int32))

    def __len__(self) -> int:
        return len(self.order)

    @cached_property
    def ages(self) -> Floats:
        """Of each commit: how many came after it."""
        return np.arange(len(self) - 1, -1, -1, dtype=np.float64)


def _same_files(commits: Commits, changes: Ints) -> Ints:
    """For each path the path that stands for its file, by the renames among `changes` alone."""
    renamed = commits.renamed_from
    links: dict[int, int] = {}

    def root(path: int) -> int:
        while (above := links.get(path)) is not None:
            path = above
        return path

    kinds = commits.change_kinds[changes]
    for change in changes[kinds == RENAMED].tolist():
        old, new = root(renamed[change]), root(int(commits.change_paths[change]))
        if old != new:
            links[old] = new
    same = np.arange(len(commits.paths), dtype=np.int32)
    for path in links:
        same[path] = root(path)
    return same
