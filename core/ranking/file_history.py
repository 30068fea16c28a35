"""What the history shows of one file: its commits, its earlier names, and the files that change with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from core.errors import UserError
from core.ranking.history import WIDE_COMMIT, Commits, Ints
from core.ranking.snapshot import Snapshot
from core.text.redaction import Redactor

Kind = Literal["added", "modified", "deleted", "renamed"]
KINDS: tuple[Kind, ...] = ("added", "modified", "deleted", "renamed")
"""By their number in `Commits.change_kinds`."""
MAX_TITLE = 200
_REDACTOR = Redactor()
MAX_COMPANIONS = 5
MAX_EVIDENCE = 3


@dataclass(frozen=True)
class CommitFacts:
    """A commit by its full hash; `date` is a day in UTC."""

    commit: str
    date: str
    author: str
    title: str
    """The first line of its message, with credentials masked."""

    @classmethod
    def of(cls, commits: Commits, number: int) -> CommitFacts:
        """Those of the commit with this number."""
        return cls(
            commits.hashes[number],
            f"{datetime.fromtimestamp(int(commits.times[number]), UTC):%Y-%m-%d}",
            commits.author_names[commits.authors[number]],
            _REDACTOR.masked(commits.titles[number], MAX_TITLE),
        )


@dataclass(frozen=True)
class FileChange(CommitFacts):
    """A commit that changed the file, under the name that it had."""

    kind: Kind
    path: str


@dataclass(frozen=True)
class Companion:
    """A file that changed in `together` of the file's commits; `commits` are the newest of these."""

    name: str
    together: int
    commits: list[str]


@dataclass(frozen=True)
class FileHistory:
    """A file as commit `at` knows it."""

    path: str
    at: str
    exists: bool
    changes_total: int
    changes: list[FileChange]
    """The newest first."""
    other_names: list[str] = field(default_factory=list)
    companions: list[Companion] = field(default_factory=list)
    companions_of: int = 0
    """Commits that were counted: those that changed few files."""


def history_of_file(snapshot: Snapshot, path: str, at: str, most: int) -> FileHistory:
    """The newest `most` changes of a file, and what changed with it. Raises UserError where no commit changed it."""
    past = snapshot.past
    commits = past.commits
    number = commits.path_numbers.get(path, -1)
    mine = np.flatnonzero(past.files == past.same[number])[::-1] if number >= 0 else np.empty(0, np.int64)
    if not len(mine):
        raise UserError(f"no commit of {at[:10]} or before changed a file named {path!r}", "give its full path")
    names = [commits.paths[commits.change_paths[past.changes[one]]] for one in mine.tolist()]
    changes = [
        FileChange(
            **vars(CommitFacts.of(commits, int(past.order[past.change_commits[one]]))),
            kind=KINDS[commits.change_kinds[past.changes[one]]],
            path=name,
        )
        for one, name in zip(mine[:most].tolist(), names, strict=False)
    ]
    narrow = np.unique(past.change_commits[mine])
    narrow = narrow[past.sizes[narrow] <= WIDE_COMMIT]
    others = [name for name in dict.fromkeys(names) if name != path]
    found = _companions(snapshot, int(past.same[number]), narrow.astype(np.int32))
    return FileHistory(path, at, path in snapshot.paths, len(mine), changes, others, found, len(narrow))


def _companions(snapshot: Snapshot, file: int, narrow: Ints) -> list[Companion]:
    """The files of the snapshot that most of these commits changed, too; those that one alone changed are chance."""
    past = snapshot.past
    beside = np.isin(past.change_commits, narrow) & (past.files != file)
    counts = np.bincount(past.files[beside], minlength=len(past.same) + 1)
    by_place = counts[snapshot.files] * (snapshot.files >= 0)
    best = [place for place in np.argsort(-by_place, kind="stable")[:MAX_COMPANIONS].tolist() if by_place[place] > 1]
    return [
        Companion(
            snapshot.paths[place],
            int(by_place[place]),
            [
                past.commits.hashes[past.order[commit]]
                for commit in np.unique(past.change_commits[beside & (past.files == snapshot.files[place])])[::-1][
                    :MAX_EVIDENCE
                ]
            ],
        )
        for place in best
    ]
