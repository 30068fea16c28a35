"""Whether the order is worth anything: which files were repaired after it was made, beside lines of code alone.

A cell is a commit of the main line and what came after it: a file counts as repaired if one of the commits of the next
fifth of the history repairs it, under whatever name it has by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from core.git import raw_log, trees
from core.git.main_line import first_parents
from core.git.raw_log import LoggedCommit
from core.git.repositories import open_repository
from thoughts.risk.files import FileFacts, facts_of, follow_renames, repairs_of

HORIZON = 0.2
"""Of all commits, those in which repairs are looked for."""
BUDGET = 0.2
"""Of all lines, those that somebody reads."""
SHARES = (0.4, 0.5, 0.6, 0.7)
"""Of a history, the moments at which it is asked."""
FEWEST_FILES, FEWEST_REPAIRED = 15, 5
"""With fewer, a cell says nothing."""


@dataclass(frozen=True)
class Cell:
    """Files at a commit, and which of them were repaired afterwards."""

    commit: str
    files: list[FileFacts]
    repaired: NDArray[np.bool_]

    @property
    def says_something(self) -> bool:
        """Whether it has enough files, repaired ones and others."""
        count = int(self.repaired.sum())
        return len(self.files) >= FEWEST_FILES and FEWEST_REPAIRED <= count < len(self.files)


def cells_of_clone(repo: str, shares: Sequence[float]) -> list[Cell]:
    """Those of a clone's newest commit."""
    git_dir = open_repository(repo, Path(repo)).git_dir
    tip = trees.commit_named(git_dir, "HEAD")
    return list(cells_of(git_dir, raw_log.logged(git_dir, tip), tip, shares))


def cells_of(git_dir: Path, commits: Sequence[LoggedCommit], tip: str, shares: Sequence[float]) -> Iterator[Cell]:
    """A cell for each share of the history that is past in it. `commits` are `tip` and its ancestors, parents first."""
    repairs = repairs_of(commits)
    number = {one.hash: at for at, one in enumerate(commits)}
    line = sorted((number[one], one) for one in first_parents(git_dir, tip) if one in number)
    for share in shares:
        commit = next((one for at, one in line if at >= share * len(commits)), None)
        if commit is not None:
            yield cell_at(git_dir, commits, repairs, commit)


def cell_at(git_dir: Path, commits: Sequence[LoggedCommit], repairs: set[str], commit: str) -> Cell:
    """The cell of one of `commits`, of which `repairs` repair something."""
    past = raw_log.logged(git_dir, commit)
    known = {one.hash for one in past}
    later = [one for one in commits if one.hash not in known][: int(HORIZON * len(commits))]
    files = facts_of(git_dir, commit, past, repairs & known)
    return Cell(commit, files, _repaired(files, later, repairs))


def _repaired(files: Sequence[FileFacts], later: Sequence[LoggedCommit], repairs: set[str]) -> NDArray[np.bool_]:
    found: set[str] = set()
    names = {one.path: one.path for one in files}
    for commit in later:
        follow_renames(names, commit)
        if commit.hash in repairs:
            found |= {names[path] for _, path, _ in commit.changes if path in names}
    return np.array([one.path in found for one in files], bool)


def auc(scores: NDArray[np.float64], repaired: NDArray[np.bool_]) -> float:
    """The share of pairs of a repaired and another file in which the repaired one has more."""
    count = int(repaired.sum())
    others = len(repaired) - count
    return float((rankdata(scores)[repaired].sum() - count * (count + 1) / 2) / (count * others))


def recall(order: NDArray[np.float64], lines: NDArray[np.float64], repaired: NDArray[np.bool_]) -> float:
    """The share of repaired files that somebody finds who reads files, those with the most first, for 20 % of lines."""
    read = np.argsort(-order, kind="stable")
    within = np.cumsum(lines[read]) <= BUDGET * lines.sum()
    return float(repaired[read][within].sum() / repaired.sum())
