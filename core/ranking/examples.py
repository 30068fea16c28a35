"""Questions whose answers are known: what past commits changed, asked of their parents."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.ranking import paths as of_path
from core.ranking.features import Features, with_new_files
from core.ranking.history import ADDED, RENAMED, Commits
from core.ranking.model import Example
from core.ranking.query import Query
from core.ranking.ranker import FEATURES, Mode, evidence
from core.ranking.snapshot import Snapshot
from core.ranking.terms import IDENTIFIER, parts

MAX_FILES = 10
"""Of a commit that is asked about; one that changed more has no single task."""


@dataclass(frozen=True)
class Case:
    """A commit to predict: its parent, its title, and the right files and folders, as the parent names them."""

    hash: str
    parent: str
    title: str
    author: str
    changed: frozenset[str]
    added_to: frozenset[str]

    def masked(self) -> str:
        """The title without every word that is in the path of a right file."""
        spelled = {part for path in self.changed for part in (*of_path.path_words(path), *of_path.stem_words(path))}
        return " ".join(
            word
            for word in self.title.split()
            if not spelled & {part for name in IDENTIFIER.findall(word) for part in parts(name)}
        )

    def forgotten(self) -> tuple[str, list[str]] | None:
        """One of its files, drawn by its hash, and the others; None where it changed only one."""
        if len(self.changed) < 2:
            return None
        files = sorted(self.changed)
        hidden = files.pop(random.Random(self.hash).randrange(len(files)))  # noqa: S311 - the same draw every time
        return hidden, files


def cases(commits: Commits, tip: str, most: int, *, skip: int = 0) -> Iterator[Case]:
    """The newest commits that `tip` knows, without merges and wide ones, after `skip` of them; the newest first."""
    mask = commits.ancestors(tip)
    counts = np.diff(commits.change_offsets)
    right = mask & (counts > 0) & (counts <= MAX_FILES)
    numbers = [number for number in np.flatnonzero(right).tolist() if len(commits.parents[number]) == 1]
    numbers.sort(key=lambda number: (commits.times[number], commits.hashes[number]), reverse=True)
    for number in numbers[skip : skip + most]:
        changed, added_to = set(), set()
        for change in range(commits.change_offsets[number], commits.change_offsets[number + 1]):
            path = commits.paths[commits.change_paths[change]]
            if commits.change_kinds[change] == ADDED:
                added_to.add(of_path.folder(path))
            elif commits.change_kinds[change] == RENAMED:
                changed.add(commits.paths[commits.renamed_from[change]])
            else:
                changed.add(path)
        yield Case(
            commits.hashes[number],
            commits.hashes[commits.parents[number][0]],
            commits.titles[number],
            commits.author_names[commits.authors[number]],
            frozenset(changed),
            frozenset(added_to),
        )


@dataclass(frozen=True)
class Asked:
    """One question of a snapshot, with its answer."""

    snapshot: Snapshot
    mode: Mode
    features: Features
    true: NDArray[np.bool_]
    given: frozenset[str] = frozenset()

    @cached_property
    def example(self) -> Example:
        """For the fit: columns in the order of the mode's features; files that are given are no candidates."""
        matrix = np.stack([self.features[name] for name in FEATURES[self.mode]], axis=1).astype(np.float32)
        kept = np.array([path not in self.given for path in self.snapshot.paths])
        kept = np.concatenate([kept, np.ones(len(self.true) - len(kept), np.bool_)])
        return Example(matrix[kept], self.true[kept])


def asked(snapshot: Snapshot, case: Case, mode: Mode, task: str = "") -> Asked | None:
    """A case as a question of one form; None where it has no answer in this form."""
    given: list[str] = []
    right: Sequence[str] = sorted(case.changed)
    if mode in ("change", "change_task"):
        if not (hidden := case.forgotten()):
            return None
        right, given = [hidden[0]], hidden[1]
    query = Query(task)
    if mode in ("task", "issue", "change_task") and not query.title:
        return None
    found = evidence(snapshot, query, mode, given)
    true = [path in set(right) for path in snapshot.paths]
    features = found.files
    if mode in ("task", "issue", "history"):
        features = with_new_files(found.files, found.new)
        true += [folder in case.added_to for folder in snapshot.folder_names]
    return Asked(snapshot, mode, features, np.array(true), frozenset(given)) if any(true) else None
