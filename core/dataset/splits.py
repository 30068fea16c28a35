"""Which commits are for training, for validation, for the test: whole commits, oldest first, by share of tokens."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.dataset.history import CommitTokens, TokenHistory
from core.errors import UserError
from core.logs import log
from core.text.stream import Range
from core.text.token_files import SPLITS


@dataclass
class Split:
    """Runs of whole commits, and what of their tokens is used."""

    name: str
    commits: list[CommitTokens]
    left_out: set[int] = field(default_factory=set)
    """Sequences that are not used: copies of what an earlier split holds."""
    ranges: list[Range] = field(default_factory=list)
    """The tokens that are used, as places in the history."""

    @property
    def tokens(self) -> int:
        """Number of tokens that are used."""
        return sum(end - start for start, end in self.ranges)

    def lay_out(self, history: TokenHistory) -> None:
        """Find `ranges`, given what is left out."""
        self.ranges = [part for commit in self.commits for part in history.ranges(commit, self.left_out)]


@dataclass(frozen=True)
class Boundaries:
    """The last commits of training and of validation, by repository ("" where all are split as one)."""

    rule: Mapping[str, Any]
    """The settings that they follow from; under the same ones they stay where they are."""
    train: Mapping[str, str]
    val: Mapping[str, str]

    @classmethod
    def read(cls, stats: Mapping[str, Any] | None, rule: Mapping[str, Any]) -> Boundaries | None:
        """Those of an earlier dataset_stats.json, if it followed the same rule."""
        found = (stats or {}).get("boundaries")
        return cls(rule, found["train"], found["val"]) if found and found["rule"] == dict(rule) else None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"rule": dict(self.rule), "train": dict(self.train), "val": dict(self.val)}


def learned_commits(commits: Sequence[CommitTokens], learned_until: Mapping[str, str]) -> dict[str, str]:
    """For each part that a vocabulary was learned from: the hash of the last commit in it that has tokens.

    Raises UserError where the history does not have these commits any more.
    """
    found: dict[str, str] = {}
    for name, hash_ in learned_until.items():
        own = [commit for commit in commits if name in ("", commit.repository)]
        hashes = [commit.hash for commit in own]
        if hash_ not in hashes:
            raise UserError(
                f"commit {hash_[:10]}, up to which the vocabulary was learned, is not in this history",
                "run the tokenizer stage again",
            )
        with_tokens = [commit.hash for commit in own[: hashes.index(hash_) + 1] if commit.tokens]
        if with_tokens:
            found[name] = with_tokens[-1]
    return found


def split(
    commits: Sequence[CommitTokens],
    rule: Mapping[str, Any],
    learned_until: Mapping[str, str],
    kept: Boundaries | None = None,
) -> tuple[list[Split], Boundaries]:
    """Three splits of commits in order, each with at least one, and where they end.

    `rule` holds train_ratio, val_ratio, interleave, train_until, val_until. Training goes at least up to
    the commits that the vocabulary was learned from (`learned_until`). With `kept` boundaries, what is newer
    than their commits is for the test. Raises UserError where there are fewer than three commits.
    """
    groups = _groups(commits, rule["interleave"] == "repository")
    parts: dict[str, list[CommitTokens]] = {name: [] for name in SPLITS}
    train: dict[str, str] = {}
    val: dict[str, str] = {}
    for name, group in groups.items():
        hashes = [commit.hash for commit in group]
        least = max((hashes.index(hash_) + 1 for hash_ in learned_until.values() if hash_ in hashes), default=0)
        ends = _kept_ends(hashes, name, kept) or _ends(group, rule, least)
        if ends[0] < least:  # a vocabulary of its own making has seen more since
            raise UserError(
                f"the vocabulary was learned from commits up to {hashes[least - 1][:10]}, which are not for training",
                "lower tokenizer.train_share, or let the boundaries move: a later dataset_builder.train_until, or "
                "dataset_builder.keep_boundaries: false",
            )
        for split_name, (start, end) in zip(SPLITS, itertools.pairwise((0, *ends, len(group))), strict=True):
            parts[split_name] += group[start:end]
        train[name], val[name] = hashes[ends[0] - 1], hashes[ends[1] - 1]
    return [Split(name, chosen) for name, chosen in parts.items()], Boundaries(rule, train, val)


def _groups(commits: Sequence[CommitTokens], by_repository: bool) -> dict[str, list[CommitTokens]]:
    groups: dict[str, list[CommitTokens]] = {}
    for commit in commits:
        groups.setdefault(commit.repository if by_repository else "", []).append(commit)
    for name, group in groups.items():
        if len(group) < len(SPLITS):
            whose = f" of {name}" if name else ""
            raise UserError(
                f"too little history{whose}: commits with text {len(group)}, but a split by commit needs {len(SPLITS)}",
                "get more of it (git fetch --unshallow), or name a repository with more history in git_scraper.repo",
            )
    if not groups:
        raise UserError("too little history: commits with text 0, but a split by commit needs 3", "check the filters")
    return groups


def _kept_ends(hashes: Sequence[str], name: str, kept: Boundaries | None) -> tuple[int, int] | None:
    if kept is None:
        return None
    train, val = kept.train.get(name), kept.val.get(name)
    if train not in hashes or val not in hashes:
        log.warning("the history was rewritten around the last boundaries of the splits: new ones are drawn")
        return None
    ends = hashes.index(train) + 1, hashes.index(val) + 1
    return ends if 0 < ends[0] < ends[1] < len(hashes) else None


def _ends(commits: Sequence[CommitTokens], rule: Mapping[str, Any], least: int) -> tuple[int, int]:
    """How many commits training, and training with validation, have."""
    total = sum(commit.tokens for commit in commits)
    shares = (rule["train_ratio"], rule["train_ratio"] + rule["val_ratio"])
    named = (rule["train_until"], rule["val_until"])
    train, val = (
        _until(commits, until) if until else _first_reaching(commits, total * share)
        for until, share in zip(named, shares, strict=True)
    )
    if named[1] and val <= train:
        raise UserError(f"val_until ({named[1]}) does not come after the training split", "name a later commit or date")
    train = min(train if named[0] else max(train, least), len(commits) - 2)
    return train, min(max(val, train + 1), len(commits) - 1)


def _until(commits: Sequence[CommitTokens], until: str) -> int:
    """How many commits there are up to a commit (a hash or its beginning), or up to the last one of a date.

    A date is ISO 8601 in UTC: a year, a month, a day, or a time.
    """
    for number, commit in enumerate(commits, start=1):
        if len(until) >= 7 and commit.hash.startswith(until.lower()):
            return number
    if not _is_date(until):
        raise UserError(f"{until} is neither a commit with text nor a date", "such as 2024-01-31, in UTC")
    length = len(until.rstrip("Z"))
    return max(
        (n for n, commit in enumerate(commits, start=1) if commit.timestamp[:length] <= until[:length]), default=1
    )


def _is_date(text: str) -> bool:
    shape = "0000-01-01T00:00:00Z"
    if not re.fullmatch(r"\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d)?)?Z?)?)?)?", text):
        return False
    try:
        datetime.fromisoformat(text.rstrip("Z") + shape[len(text.rstrip("Z")) :])
    except ValueError:
        return False
    return True


def _first_reaching(commits: Sequence[CommitTokens], tokens: float) -> int:
    """How many commits it takes to have this many tokens; at least one."""
    done = 0
    for number, commit in enumerate(commits, start=1):
        done += commit.tokens
        if done >= tokens:
            return number
    return len(commits)
