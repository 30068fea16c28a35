"""What became of the findings of each rule: the share whose lines this history went on to change.

A rule's severity says nothing about a repository, its own past does. Findings of earlier years are looked at a year
later; a year ago counts half of now after two more. Beside it stands what chance would have: as many lines anywhere in
the files that the tool reads. Without that, findings of several lines would look better for their length alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from core.git import trees
from core.git.commands import decode
from core.git.main_line import edits_between
from thoughts.smells.findings import MOST_LINES, Finding, Looked

YEAR_S = 365 * 86_400
MOST_YEARS = 5
HALF_LIFE_YEARS = 2
PRIOR = 2.0
"""Findings that all rules together lend to each."""
FEWEST = 5
"""Findings of a rule in all years, below which it says nothing."""
BETTER = 2.0
"""Times what chance would have, above which a rule's findings are shown."""
MOST_A_RULE = 5
MOST_TRIED = 50
"""Findings of a rule that are looked at for some that are wanted."""


class Window(NamedTuple):
    """Two commits of the main line, about a year apart."""

    old: str
    new: str


@dataclass(frozen=True)
class Fates:
    """What became of the findings of one tool at a window's old commit."""

    taken: dict[str, int]
    """Findings of each rule whose lines were changed, of files that are still there."""
    found: dict[str, int]
    chance: dict[str, float]
    """Findings of each rule whose lines would have been changed, had they been anywhere."""
    changed: int
    """Lines of these files that were changed, whatever is said of them."""
    lines: int


@dataclass(frozen=True)
class Rule:
    """What a rule's findings were worth in the past years."""

    changed: int
    found: int
    share: float
    """Expected share of its findings that are changed within a year."""
    chance: float
    """The share that would be, were they anywhere."""

    @property
    def is_worth(self) -> bool:
        """Whether its findings are well above chance."""
        return self.found >= FEWEST and self.share > 0 and self.share >= BETTER * self.chance


@dataclass(frozen=True)
class Uptake:
    """What the rules of all tools were worth."""

    rules: Mapping[str, Rule]
    bases: Mapping[str, float]
    """Of each tool that has a past, the share of the lines that it reads that change within a year."""

    def worth(self, rule: str) -> float:
        """The expected share of a rule's findings that are changed, 0 where that is not known or not above chance."""
        known = self.rules.get(rule)
        return known.share if known and known.is_worth else 0.0


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
    """What became of the findings of one tool at a window's old commit."""
    kept = {path: count for path, count in looked.lines.items() if path not in changed.gone}
    lines = sum(kept.values())
    rows = [changed.rows.get(path, set()) for path in kept]
    shares = [_spans(rows, length) / max(1, lines) for length in range(1, MOST_LINES + 1)]
    taken: Counter[str] = Counter()
    found: Counter[str] = Counter()
    chance: defaultdict[str, float] = defaultdict(float)
    for one in looked.findings:
        if one.path in kept:
            found[one.rule] += 1
            taken[one.rule] += changed.touches(one.path, one.first, one.last)
            chance[one.rule] += shares[min(one.last - one.first, MOST_LINES - 1)]
    return Fates(dict(taken), dict(found), dict(chance), sum(map(len, rows)), lines)


def _spans(rows: Sequence[set[int]], length: int) -> int:
    """How many pieces of so many lines have a changed one in them, of all that begin at a line."""
    return sum(len({start for row in some for start in range(max(1, row - length + 1), row + 1)}) for some in rows)


def uptake_of(tools: Mapping[str, Sequence[Fates]]) -> Uptake:
    """What the rules of each tool are worth by the fates of several years, the last one first."""
    rules: dict[str, Rule] = {}
    bases = {}
    for tool, years in tools.items():
        if not years:
            continue
        weights = [0.5 ** (ago / HALF_LIFE_YEARS) for ago in range(len(years))]
        taken = _weighted([one.taken for one in years], weights)
        found = _weighted([one.found for one in years], weights)
        chance = _weighted([one.chance for one in years], weights)
        lines = sum(weight * one.lines for weight, one in zip(weights, years, strict=True))
        bases[tool] = sum(weight * one.changed for weight, one in zip(weights, years, strict=True)) / max(1.0, lines)
        prior = sum(taken.values()) / max(1e-9, sum(found.values()))
        for rule in found:
            share = (taken.get(rule, 0.0) + PRIOR * prior) / (found[rule] + PRIOR)
            counts = (sum(one.taken.get(rule, 0) for one in years), sum(one.found.get(rule, 0) for one in years))
            rules[rule] = Rule(*counts, share, chance[rule] / found[rule])
    return Uptake(rules, bases)


def _weighted(years: Sequence[Mapping[str, float]], weights: Sequence[float]) -> dict[str, float]:
    total: defaultdict[str, float] = defaultdict(float)
    for weight, year in zip(weights, years, strict=True):
        for rule, number in year.items():
            total[rule] += weight * number
    return dict(total)


def worth_showing(
    findings: Sequence[Finding], uptake: Uptake, most: int, is_unwanted: Callable[[Finding], bool] = lambda _: False
) -> list[Finding]:
    """Findings of rules that are worth it, those of the best rules first, and at most five of a rule."""
    chosen: list[Finding] = []
    of_rule: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    for one in sorted(findings, key=lambda one: (-uptake.worth(one.rule), one.rule, one.path, one.first)):
        if len(chosen) == most or not uptake.worth(one.rule):
            break
        tried[one.rule] += 1
        if of_rule[one.rule] < MOST_A_RULE and tried[one.rule] <= MOST_TRIED and not is_unwanted(one):
            of_rule[one.rule] += 1
            chosen.append(one)
    return chosen
