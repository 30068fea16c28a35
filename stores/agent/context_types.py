"""What can be learnt, and what is assumed where nothing has been: the shipped defaults that seeds must beat.

A context type asks one question of many situations, its options: "how large is a fix?" of each kind of fix. An
answer has targets, each a size in bins or a choice among words. The defaults are set by hand from what is commonly
known, not fitted: sizes follow heavy-tailed curves with round medians, choices are even.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, get_args

StoreName = Literal["v_vector_history", "pattern_memory", "failure_memory"]
STORE_NAMES: tuple[StoreName, ...] = get_args(StoreName)
"""The databases."""


@dataclass(frozen=True)
class Size:
    """A number of things, in bins: up to each edge, and above the last."""

    edges: tuple[int, ...]
    median: float
    """What is assumed: half of the cases are at most so large."""
    spread: float
    """How heavy the assumed tail is: the standard deviation of the logarithm."""
    cap: str
    """Name of the parameter that says how much to allow: the 90 % quantile."""

    @property
    def bins(self) -> list[str]:
        """Their names."""
        lows = [1, *(edge + 1 for edge in self.edges)]
        closed = [str(low) if low == edge else f"{low}-{edge}" for low, edge in zip(lows, self.edges, strict=False)]
        return [*closed, f">{self.edges[-1]}"]

    def bin_of(self, value: float | str) -> int:
        """The bin that a size falls into."""
        return next((number for number, edge in enumerate(self.edges) if float(value) <= edge), len(self.edges))

    def default(self, _: Sequence[str] = ()) -> list[float]:
        """The shipped probabilities of the bins: a log-normal curve, cut at half steps."""
        cuts = [math.log((edge + 0.5) / self.median) / self.spread for edge in self.edges]
        below = [0.0, *((1 + math.erf(cut / math.sqrt(2))) / 2 for cut in cuts), 1.0]
        return [high - low for low, high in pairwise(below)]

    def quantile(self, share: float) -> int:
        """The shipped quantile: the curve's, rounded up."""
        from statistics import NormalDist

        return max(1, math.ceil(self.median * math.exp(self.spread * NormalDist().inv_cdf(share)) - 0.5))


@dataclass(frozen=True)
class Choice:
    """One of some words. Without `words`, those that evidence brings."""

    words: tuple[str, ...] = ()

    def default(self, seen: Sequence[str] = ()) -> list[float]:
        """The shipped probabilities: even."""
        number = len(self.words or seen)
        return [1 / number] * number


YES_NO = Choice(("yes", "no"))


@dataclass(frozen=True)
class ContextType:
    """One question, and where its answers are kept."""

    name: str
    store: StoreName
    help: str
    targets: Mapping[str, Size | Choice]
    agent: str = ""
    """In pattern and failure memory: the part of the agent that asks."""
    unit: Literal["commit", "repository"] = "commit"
    """What gives one piece of evidence."""
    defaults: Mapping[str, float] = field(default_factory=dict)
    """Of a yes-or-no target: the shipped probability of "yes", where it is not one half."""

    def default(self, target: str, seen: Sequence[str] = ()) -> list[float]:
        """The shipped probabilities of a target; `seen` are the words of an open choice."""
        if target in self.defaults:
            return [self.defaults[target], 1 - self.defaults[target]]
        return self.targets[target].default(seen)


FILES = Size(edges=(1, 2, 3, 4, 6, 10), median=1.5, spread=0.9, cap="max_files")
LINES = Size(edges=(2, 5, 10, 20, 50, 100, 200), median=10, spread=1.4, cap="max_edits")
TREE = Size(edges=(10, 30, 100, 300, 1000, 3000), median=100, spread=1.5, cap="max_files")
KINDS = (
    *("dependency_fix", "import_fix", "exception_fix", "guard_fix", "type_fix", "condition_fix"),
    "logic_fix",
)
"""Kinds of fixes, told from changed lines (miners/signals/diff_tags.py)."""

CONTEXT_TYPES: dict[str, ContextType] = {
    one.name: one
    for one in (
        ContextType(
            "repair_strategy",
            "v_vector_history",
            "How much a fix of one kind changes: source files, lines of them, and whether tests come with it.",
            {"files": FILES, "lines": LINES, "with_tests": YES_NO},
        ),
        ContextType(
            "file_context",
            "v_vector_history",
            "How many source files a change for one purpose touches, and whether tests are among what it touches.",
            {"files": FILES, "with_tests": YES_NO},
        ),
        ContextType("fix_kind", "v_vector_history", "What kind a fix turns out to be of.", {"kind": Choice(KINDS)}),
        ContextType(
            "repository_size",
            "v_vector_history",
            "How many files of one sort a repository has.",
            {"files": TREE},
            unit="repository",
        ),
        ContextType(
            "tool_selection",
            "v_vector_history",
            "Which tool a repository in one language uses for one purpose.",
            {"choice": Choice()},
            unit="repository",
        ),
        ContextType(
            "tool_combination",
            "v_vector_history",
            "Which tool for one purpose goes with a framework.",
            {"choice": Choice()},
            unit="repository",
        ),
        ContextType(
            "project_layout",
            "pattern_memory",
            "Where a repository in one language keeps one sort of file, and how it names them.",
            {"choice": Choice()},
            agent="project_layout",
            unit="repository",
        ),
        ContextType(
            "error_remedy",
            "pattern_memory",
            "What kind of fix ends an error of one type.",
            {"kind": Choice(KINDS)},
            agent="repair_strategy",
        ),
        ContextType(
            "test_companion",
            "pattern_memory",
            "Whether a commit that makes one type of change also changes a test.",
            {"with_tests": YES_NO},
            agent="test_writing",
        ),
        ContextType(
            "reverted",
            "failure_memory",
            "Whether a change for one purpose is taken back later.",
            {"reverted": YES_NO},
            agent="change_review",
            defaults={"reverted": 0.02},
        ),
        ContextType(
            "strategy_mismatch",
            "failure_memory",
            "Which kinds of fix do not end an error of one type.",
            {"kind": Choice(KINDS)},
            agent="repair_strategy",
        ),
        ContextType(
            "message_rule",
            "failure_memory",
            "Whether the message of a fix says what a rule of the settings looks for.",
            {"hit": YES_NO},
            agent="repair_strategy",
            defaults={"hit": 0.1},
        ),
    )
}
