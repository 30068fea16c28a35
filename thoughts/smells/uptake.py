"""What became of the findings of each rule: the share whose lines this history went on to change.

A rule's severity says nothing about a repository, its own past does. Findings of earlier years are looked at a year
later; a year ago counts half of now after two more.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from core.git import trees
from core.git.commands import decode
from core.git.main_line import edits_between
from thoughts.smells.findings import Finding, Looked

YEAR_S = 365 * 86_400
MOST_YEARS = 5
HALF_LIFE_YEARS = 2
PRIOR = 2.0
"""Findings that all rules together lend to each."""
FEWEST = 5
"""Findings of a rule in all years, below which it says nothing."""
BETTER = 2.0
"""Times the share of lines that change anyway, above which a rule's findings are shown."""
MOST_A_RULE = 5


class Window(NamedTuple):
    """Two commits of the main line, about a year apart."""

    old: str
    new: str


@dataclass(frozen=True)
class Fates:
    """What became of the findings of a window's old commit."""

    taken: dict[str, int]
    """Findings of each rule whose lines were changed, of files that are still there."""
    found: dict[str, int]
    changed: int
    """Lines of these files that were changed, whatever is said of them."""
    lines: int


@dataclass(frozen=True)
class Uptake:
    """What each rule's findings were worth, from the fates of several years."""

    shares: Mapping[str, float]
    """Expected share of a rule's findings that are changed within a year; of rules with few findings none."""
    base: float
    """The share of lines that change within a year."""
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """(changed, found) of each rule in all years."""

    def worth(self, rule: str) -> float:
        """The share of a rule, 0 where it is not known or not above what changes anyway."""
        share = self.shares.get(rule, 0.0)
        return share if share >= BETTER * self.base else 0.0


class Changed(NamedTuple):
    """What differs between a window's commits, of the files of the old one."""

    rows: Mapping[str, set[int]]
    """Lines of each file that are not there any more as they were. A renamed file is followed."""
    gone: set[str]

    def touches(self, path: str, first: int, last: int) -> bool:
        """Whether one of these lines was changed."""
        return not self.rows.get(path, set()).isdisjoint(range(first, last + 1))


def windows(git_dir: Path, commit: str) -> list[Window]:
    """The past years of a commit, the last one first, up to where its main line was when its month began.

    So all commits of a month have the same, and what was found out about them is found out once.
    """
    now = datetime.fromtimestamp(trees.time_of(git_dir, commit), UTC)
    end = int(datetime(now.year, now.month, 1, tzinfo=UTC).timestamp())
    moments: list[str] = []
    for years in range(MOST_YEARS + 1):
        one = trees.commit_at(git_dir, commit, end - years * YEAR_S)
        if one and one not in moments:
            moments.append(one)
    return [Window(old, new) for new, old in pairwise(moments)]


def changed_in(git_dir: Path, window: Window, suffixes: Sequence[str]) -> Changed:
    """Which lines of the old files with these endings a window changed."""
    rows: dict[str, set[int]] = {}
    gone = set()
    for edit in edits_between(git_dir, window.old, window.new, [f"*{one}" for one in suffixes]):
        path = decode(edit.old_path)[0]
        if not edit.new_path:
            gone.add(path)
        elif path:
            rows[path] = {hunk.old_at + row for hunk in edit.hunks for row in range(len(hunk.removed))}
    return Changed(rows, gone)


def fates_of(looked: Looked, changed: Changed) -> Fates:
    """What became of the findings at a window's old commit."""
    taken: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for one in looked.findings:
        if one.path not in changed.gone:
            found[one.rule] += 1
            taken[one.rule] += changed.touches(one.path, one.first, one.last)
    kept = [path for path in looked.lines if path not in changed.gone]
    lines = sum(looked.lines[path] for path in kept)
    return Fates(dict(taken), dict(found), sum(len(changed.rows.get(path, ())) for path in kept), lines)


def uptake_of(years: Sequence[Fates]) -> Uptake:
    """What rules are worth by the fates of several years, the last one first."""
    taken: defaultdict[str, float] = defaultdict(float)
    found: defaultdict[str, float] = defaultdict(float)
    counts: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    changed = lines = 0.0
    for ago, one in enumerate(years):
        weight = 0.5 ** (ago / HALF_LIFE_YEARS)
        changed, lines = changed + weight * one.changed, lines + weight * one.lines
        for rule, number in one.found.items():
            taken[rule] += weight * one.taken.get(rule, 0)
            found[rule] += weight * number
            counts[rule] = counts[rule][0] + one.taken.get(rule, 0), counts[rule][1] + number
    prior = sum(taken.values()) / max(1e-9, sum(found.values()))
    known = [rule for rule, (_, number) in counts.items() if number >= FEWEST]
    shares = {rule: (taken[rule] + PRIOR * prior) / (found[rule] + PRIOR) for rule in known}
    return Uptake(shares, changed / max(1.0, lines), dict(counts))


def worth_showing(findings: Sequence[Finding], uptake: Uptake, most: int) -> list[Finding]:
    """Findings of rules that are worth it, those of the best rules first, and at most five of a rule."""
    chosen: list[Finding] = []
    of_rule: Counter[str] = Counter()
    for one in sorted(findings, key=lambda one: (-uptake.worth(one.rule), one.rule, one.path, one.first)):
        if len(chosen) == most or not uptake.worth(one.rule):
            break
        if of_rule[one.rule] < MOST_A_RULE:
            of_rule[one.rule] += 1
            chosen.append(one)
    return chosen
