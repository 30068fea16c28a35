"""The source files of a commit by how likely they are to be repaired next, with what speaks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.git import raw_log
from core.git.raw_log import LoggedCommit
from thoughts.areas import is_below
from thoughts.risk.coverage.covered import Coverage, Ran, current
from thoughts.risk.files import FileFacts, facts_of, repairs_of
from thoughts.risk.measuring import HORIZON, auc, cells_of, recall
from thoughts.risk.weights import by_line, scores, shipped

HEADER = "   risk  lines  branches  fixes  recency  file"


@dataclass(frozen=True)
class RiskyFile:
    """A file with its score, which compares it with the others of its commit and is no probability."""

    facts: FileFacts
    score: float
    above: float
    """The share of files with a lower score."""
    ran: Ran | None = None
    """What a coverage report says of its lines. It does not count for the score (docs/risk.md says why)."""


@dataclass(frozen=True)
class Check:
    """How good the order would have been a fifth of the history ago; lines of code alone beside it."""

    commit: str
    repaired: int
    auc: float
    auc_of_lines: float
    recall: float
    recall_of_smallest: float

    def __str__(self) -> str:
        """One sentence."""
        return (
            f"asked of {self.commit[:9]}, after which {self.repaired:,} files were repaired: AUC {self.auc:.2f}, "
            f"lines of code alone {self.auc_of_lines:.2f}; a fifth of the lines has {self.recall:.0%} of the repaired "
            f"files, with the smallest files first {self.recall_of_smallest:.0%}"
        )


@dataclass(frozen=True)
class RiskTable:
    """All files, the riskiest first."""

    files: list[RiskyFile]
    check: Check | None
    """None where the history has too few files or repairs to say."""
    coverage: Coverage | None = None

    def below(self, area: str) -> list[RiskyFile]:
        """The files of an area; all for ""."""
        return [one for one in self.files if is_below(one.facts.path, area)]

    def lines(self, most: int, area: str = "") -> list[str]:
        """As people read it, the files of an area alone."""
        said = f"{self.check}" if self.check else "too few files or repairs to check the order on this history"
        files = self.below(area)
        count = f"{len(self.files):,} source files" + f", {len(files):,} of them below {area}" * bool(area)
        if self.coverage is None:
            return [f"{count}; {said}", "", HEADER, *map(_line, files[:most])]
        rows = [_line(one, f"{_share(one.ran):>5}  ") for one in files[:most]]
        known = [one.ran for one in files if one.ran]
        changed = sum(one.facts.path in self.coverage.files for one in files) - len(known)
        ran = self.coverage.in_words(known, changed)
        return [f"{count}; {said}", ran, "", HEADER.replace("  file", "    ran  file"), *rows]


def table_of(git_dir: Path, commit: str, coverage: Coverage | None = None) -> RiskTable:
    """The files of a commit, with the order checked on its own past, and what is known of their coverage."""
    past = raw_log.logged(git_dir, commit)
    files = ranked(git_dir, commit, past)
    if coverage:
        files = [replace(one, ran=current(coverage, one.facts)) for one in files]
    return RiskTable(files, check_of(git_dir, past, commit), coverage)


def ranked(git_dir: Path, commit: str, past: Sequence[LoggedCommit]) -> list[RiskyFile]:
    """The files of a commit, the riskiest first; `past` is the commit with its ancestors, parents first."""
    files = facts_of(git_dir, commit, past, repairs_of(past))
    found = scores(files, shipped())
    order = np.argsort(-found, kind="stable")
    return [RiskyFile(files[at], float(found[at]), float(np.mean(found < found[at]))) for at in order]


def check_of(git_dir: Path, past: Sequence[LoggedCommit], commit: str) -> Check | None:
    """What the order of a fifth of the history ago would have been worth."""
    cell = next(cells_of(git_dir, past, commit, (1 - HORIZON,)), None)
    if cell is None or not cell.says_something:
        return None
    lines = np.array([one.lines for one in cell.files], float)
    ours = scores(cell.files, shipped())
    return Check(
        cell.commit,
        int(cell.repaired.sum()),
        auc(ours, cell.repaired),
        auc(lines, cell.repaired),
        recall(by_line(ours, lines), lines, cell.repaired),
        recall(-lines, lines, cell.repaired),
    )


def _share(ran: Ran | None) -> str:
    return ran.share if ran else "-"


def _line(file: RiskyFile, ran: str = "") -> str:
    facts = file.facts
    known = f"{file.score:7.2f} {facts.lines:6,} {facts.branches:9,} {facts.fixes:6.1f} {facts.recency:8.2f}"
    return f"{known}  {ran}{facts.path}"
