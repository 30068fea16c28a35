"""What is known of each source file at a commit: its size, its branches, and how often it was changed and repaired."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from core.code.languages import file_kind
from core.code.test_files import is_test_file
from core.git import trees
from core.git.blobs import BlobReader
from core.git.raw_log import LoggedCommit
from core.history.messages import is_bot
from miners.signals.dialects import Dialect, Message, dialect_of, purpose_of

MOST_BYTES = 2_000_000
"""Of a file; larger ones are left out."""
NARROW = 10
"""Files that a commit changes at most to count: wider ones rename, format or license."""
HALF_LIFE = 500
"""Commits after which a change counts half."""
HALF_LIFE_S = 90 * 86_400
"""Seconds after which the newest change counts half as recent."""
MOST_NAMED = 3
"""Repairs of a file that are remembered, the newest ones."""
Named = TypeVar("Named")
_BRANCH = re.compile(
    rb"\b(?:if|elif|for|foreach|while|case|when|catch|except|match|guard|and|or)\b|&&|\|\||\?", re.ASCII
)


class FileFacts(NamedTuple):
    """A file at a commit. What is counted falls by half every 500 commits."""

    path: str
    blob: str
    lines: int
    branches: int
    """Words and signs at which code parts."""
    changes: float
    """Each divided by the root of the number of files it changed."""
    recency: float
    """1 for a file that was changed just now, 0.5 after 90 days."""
    fixes: float
    fixes_nearby: float
    """The mean of those of the other files in its folder."""
    repairs: tuple[LoggedCommit, ...]
    """The newest commits that repaired it, the newest last."""


@dataclass
class _Past:
    changes: float = 0.0
    recency: float = 0.0
    fixes: float = 0.0
    repairs: list[LoggedCommit] = field(default_factory=list)


def is_program(path: str) -> bool:
    """Whether a file is code, and no test."""
    return file_kind(path) == "code" and not is_test_file(path)


def repairs_of(commits: Sequence[LoggedCommit]) -> set[str]:
    """The commits that repair something, by their titles; those of programs and those of many files are left out."""
    dialect = dialect_of(one.title for one in commits)
    return {one.hash for one in commits if _counts(one) and _purpose(one, dialect) == "fix"}


def facts_of(git_dir: Path, commit: str, past: Sequence[LoggedCommit], repairs: set[str]) -> list[FileFacts]:
    """What is known of the source files of a commit, in the order of their paths.

    `past` is the commit with its ancestors, parents first; `repairs` are those of them that repair something. Files
    that a clone lacks or that are too large are left out.
    """
    histories = _histories(past, repairs)
    blobs = {path: blob for path, blob in trees.files_of(git_dir, commit).items() if is_program(path)}
    nearby = _means_of_others({path: histories[path].fixes if path in histories else 0.0 for path in blobs})
    found = []
    with BlobReader(git_dir) as reader:
        for (path, blob), data in zip(blobs.items(), reader.read_many(list(blobs.values()), MOST_BYTES), strict=True):
            if data is None:
                continue
            one = histories.get(path, _Past())
            size, parts = data.count(b"\n") + (not data.endswith(b"\n") and data != b""), len(_BRANCH.findall(data))
            known = (one.changes, one.recency, one.fixes, nearby[path], tuple(one.repairs[-MOST_NAMED:]))
            found.append(FileFacts(path, blob, size, parts, *known))
    return found


def follow_renames(names: dict[str, Named], commit: LoggedCommit) -> None:
    """Let what is kept by paths stand under the names that files have after a commit."""
    for status, path, old in commit.changes:
        if status == "R" and old in names:
            names[path] = names.pop(old)


def _histories(past: Sequence[LoggedCommit], repairs: set[str]) -> dict[str, _Past]:
    found: dict[str, _Past] = defaultdict(_Past)
    now = past[-1].time if past else 0
    for number, one in enumerate(past):
        weight = 0.5 ** ((len(past) - number) / HALF_LIFE)
        follow_renames(found, one)
        if not _counts(one):
            continue
        for _, path, _ in one.changes:
            if not is_program(path):
                continue
            file = found[path]
            file.changes += weight / math.sqrt(len(one.changes))
            file.recency = max(file.recency, 0.5 ** (max(0, now - one.time) / HALF_LIFE_S))
            if one.hash in repairs:
                file.fixes += weight
                file.repairs.append(one)
    return found


def _counts(commit: LoggedCommit) -> bool:
    return len(commit.changes) <= NARROW and not is_bot(commit.author, "")


def _purpose(commit: LoggedCommit, dialect: Dialect) -> str:
    return purpose_of(Message(commit.title, "", len(commit.parents) > 1), dialect)


def _means_of_others(values: Mapping[str, float]) -> dict[str, float]:
    """Of each path, the mean of the other paths in its folder; 0 for one alone."""
    totals: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for path, value in values.items():
        folder = path.rpartition("/")[0]
        totals[folder] += value
        counts[folder] += 1
    means = {}
    for path, value in values.items():
        folder = path.rpartition("/")[0]
        means[path] = (totals[folder] - value) / max(1, counts[folder] - 1)
    return means
