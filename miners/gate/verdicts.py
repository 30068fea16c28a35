"""What a replay found out about a target, and whether its evidence may enter the stores."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.records.seeding import GateFigures, GateGain
from core.statistics import of_mean

ARMS = ("uniform", "defaults", "placebo", "archetype", "own history", "seeded")
MIN_UNITS = 5
"""Repositories (or blocks) below which an interval means little: with three, noise passed one time in twelve."""
SAMPLES = 4000
SEED = 17


@dataclass
class Tried:
    """One unit of the bootstrap: a repository, or a block of a history."""

    name: str
    tests: int
    bits: dict[str, float]
    """Mean log-loss of each arm."""
    covered: dict[str, float] = field(default_factory=dict)
    """Of sizes: the share within each seeded quantile. Of choices: how often the first one came."""


@dataclass
class Verdict:
    """How one target did."""

    context_type: str
    target: str
    method: str
    tried: list[Tried]
    left_out: int = 0
    """Repositories with too little evidence to be held out."""
    _gains: dict[tuple[str, str], GateGain] = field(default_factory=dict, repr=False)
    """Gains that were computed already: each takes thousands of draws."""

    def gain_over(self, arm: str, of: str = "seeded") -> GateGain:
        """Bits that an arm saves over another.

        Commits of one repository resemble each other, so resampling commits would make the interval far too narrow.
        Whole units are resampled instead (a clustered bootstrap): the interval is one over repositories.
        """
        if (arm, of) not in self._gains:
            saved = np.array([one.bits[arm] - one.bits[of] for one in self.tried])
            self._gains[arm, of] = GateGain(**of_mean(saved, samples=SAMPLES, seed=SEED))
        return self._gains[arm, of]

    @property
    def passed(self) -> bool:
        """Better than the shipped defaults and than the placebo, with intervals that exclude zero."""
        if len(self.tried) < MIN_UNITS:
            return False
        return all(_is_above_zero(self.gain_over(arm)) for arm in ("defaults", "placebo"))

    @property
    def by_archetype(self) -> bool:
        """Evidence of the same archetype predicts better than that of all."""
        return self.passed and _is_above_zero(self.gain_over("seeded", of="archetype"))

    @property
    def losers(self) -> list[str]:
        """Units that the defaults or the placebo predict at least as well."""
        return [one.name for one in self.tried if one.bits["seeded"] >= min(one.bits["defaults"], one.bits["placebo"])]

    def mean(self, arm: str) -> float:
        """Bits of an arm, each unit counting once, however much evidence it has."""
        return float(np.mean([one.bits[arm] for one in self.tried])) if self.tried else 0.0

    def coverage(self) -> dict[str, float]:
        """Mean over units of what was covered."""
        names = dict.fromkeys(name for one in self.tried for name in one.covered)
        return {name: round(float(np.mean([one.covered[name] for one in self.tried])), 4) for name in names}

    def figures(self) -> GateFigures:
        """For seeding.json and the stores' gate column, rounded."""
        return GateFigures(
            passed=self.passed,
            method=self.method,
            units=len(self.tried),
            tests=sum(one.tests for one in self.tried),
            bits={arm: round(self.mean(arm), 4) for arm in ARMS},
            gain_over_defaults=_rounded(self.gain_over("defaults")),
            gain_over_placebo=_rounded(self.gain_over("placebo")),
            by_archetype=self.by_archetype,
            covered=self.coverage(),
            losers=self.losers,
        )


def _is_above_zero(gain: GateGain) -> bool:
    return gain.low is not None and gain.low > 0


def _rounded(gain: GateGain) -> GateGain:
    mean, low, high = (None if bound is None else round(bound, 4) for bound in (gain.mean, gain.low, gain.high))
    return GateGain(mean=mean, low=low, high=high, n=gain.n)
