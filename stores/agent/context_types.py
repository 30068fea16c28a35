"""What the stores can learn, and the shipped defaults that learned values must beat.

A context type is one question about many situations, its options: "how large is a fix?" for each kind of fix. An
answer has targets, each a size in bins or a choice among words. The defaults are common knowledge, set by hand and not
fitted: sizes are log-normal with round medians, choices are uniform.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, get_args

StoreName = Literal["v_vector_history", "pattern_memory", "failure_memory"]
STORE_NAMES: tuple[StoreName, ...] = get_args(StoreName)
"""The databases of the stores."""


@dataclass(frozen=True)
class Size:
    """A count, in bins: up to each edge, and above the last."""

    edges: tuple[int, ...]
    median: float
    """The default median."""
    spread: float
    """How heavy the default tail is: the standard deviation of the logarithm."""
    cap: str
    """The parameter that limits this size: it is set to the 90 % quantile."""

    @property
    def bins(self) -> list[str]:
        """The names of the bins."""
        lows = [1, *(edge + 1 for edge in self.edges)]
        closed = [str(low) if low == edge else f"{low}-{edge}" for low, edge in zip(lows, self.edges, strict=False)]
        return [*closed, f">{self.edges[-1]}"]

    def bin_of(self, value: float | str) -> int:
        """The number of the bin that a size falls into."""
        return next((number for number, edge in enumerate(self.edges) if float(value) <= edge), len(self.edges))

    def default(self, _: Sequence[str] = ()) -> list[float]:
        """The default probability of each bin: a log-normal distribution, cut halfway between integers."""
        cuts = [math.log((edge + 0.5) / self.median) / self.spread for edge in self.edges]
        below = [0.0, *((1 + math.erf(cut / math.sqrt(2))) / 2 for cut in cuts), 1.0]
        return [high - low for low, high in pairwise(below)]

    def quantile(self, share: float) -> int:
        """The default quantile, rounded up."""
        from statistics import NormalDist

        return max(1, math.ceil(self.median * math.exp(self.spread * NormalDist().inv_cdf(share)) - 0.5))


@dataclass(frozen=True)
class Choice:
    """One of several words. If `words` is empty, those that occur in the evidence."""

    words: tuple[str, ...] = ()

    def default(self, seen: Sequence[str] = ()) -> list[float]:
        """The default probabilities: uniform."""
        number = len(self.words or seen)
        return [1 / number] * number


YES_NO = Choice(("yes", "no"))


@dataclass(frozen=True)
class ContextType:
    """One question, and the store of its answers."""

    name: str
    store: StoreName
    help: str
    targets: Mapping[str, Size | Choice]
    agent: str = ""
    """In pattern and failure memory: the part of the agent that queries it."""
    unit: Literal["commit", "repository"] = "commit"
    """What one piece of evidence describes."""
    defaults: Mapping[str, float] = field(default_factory=dict)
    """The default probability of "yes" for a yes-or-no target, if it is not one half."""

    def default(self, target: str, seen: Sequence[str] = ()) -> list[float]:
        """The default probabilities of a target; `seen` are the words of an open choice."""
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
"""Kinds of fixes, derived from the changed lines (miners/signals/diff_tags.py)."""

CONTEXT_TYPES: dict[str, ContextType] = {
    one.name: one
    for one in (
        ContextType(
            "repair_strategy",
            "v_vector_history",
            "How much a fix of one kind changes: source files and lines, and whether it changes tests too.",
            {"files": FILES, "lines": LINES, "with_tests": YES_NO},
        ),
        ContextType(
            "file_context",
            "v_vector_history",
            "How many source files a change with one purpose touches, and whether it touches tests too.",
            {"files": FILES, "with_tests": YES_NO},
        ),
        ContextType("fix_kind", "v_vector_history", "What kind of fix a fix turns out to be.", {"kind": Choice(KINDS)}),
        ContextType(
            "repository_size",
            "v_vector_history",
            "How many files of one category a repository has.",
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
            "Which tool for one purpose is used together with a framework.",
            {"choice": Choice()},
            unit="repository",
        ),
        ContextType(
            "project_layout",
            "pattern_memory",
            "Where a repository in one language keeps one category of files, and how it names them.",
            {"choice": Choice()},
            agent="project_layout",
            unit="repository",
        ),
        ContextType(
            "error_remedy",
            "pattern_memory",
            "What kind of fix resolves an error of one type.",
            {"kind": Choice(KINDS)},
            agent="repair_strategy",
        ),
        ContextType(
            "reverted",
            "failure_memory",
            "Whether a change with one purpose is reverted later.",
            {"reverted": YES_NO},
            agent="change_review",
            defaults={"reverted": 0.02},
        ),
        ContextType(
            "strategy_mismatch",
            "failure_memory",
            "Which kinds of fixes do not resolve an error of one type.",
            {"kind": Choice(KINDS)},
            agent="repair_strategy",
        ),
        ContextType(
            "message_rule",
            "failure_memory",
            "Whether the message of a fix matches a rule of the settings.",
            {"hit": YES_NO},
            agent="repair_strategy",
            defaults={"hit": 0.1},
        ),
    )
}
