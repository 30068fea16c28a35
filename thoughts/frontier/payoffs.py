"""What each arm, a kind of study in an area of the code, has cost and brought. The past fades."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

HALF_LIFE_S = 30 * 86_400.0
"""After which a run counts half: what people care for changes."""
READ = 0.5
"""What a read insight is worth, where a kept one is worth 1 and a dismissed one nothing."""
PASSED_OVER = 0.25
"""How much an insight counts against its arm that was left unmarked when a later mark was made."""


class Arm(NamedTuple):
    """What may be chosen."""

    kind: str
    area: str
    """The folder that a job is about; "" where that is the whole repository."""


class Ran(msgspec.Struct, frozen=True):
    """A run, and what became of what it found."""

    kind: str
    area: str
    at: float
    """When it ended, in seconds since 1970."""
    cpu_s: float
    found: int = 0
    kept: int = 0
    read: int = 0
    dismissed: int = 0
    passed_over: int = 0


class Payoff(msgspec.Struct):
    """What an arm's runs came to."""

    kind: str
    area: str
    runs: int = 0
    minutes: float = 0.0
    """Of CPU time. This and what follows has faded."""
    found: float = 0.0
    """Insights."""
    useful: float = 0.0
    useless: float = 0.0
    """Of those that somebody has judged."""


def payoffs_of(runs: Iterable[Ran], now: float) -> list[Payoff]:
    """What each arm came to until now."""
    found: dict[Arm, Payoff] = {}
    for one in runs:
        arm = Arm(one.kind, one.area)
        payoff = found.setdefault(arm, Payoff(*arm))
        weight = 0.5 ** (max(now - one.at, 0.0) / HALF_LIFE_S)
        judged = one.kept + one.read + one.dismissed + PASSED_OVER * one.passed_over
        useful = one.kept + READ * one.read
        payoff.runs += 1
        payoff.minutes += weight * one.cpu_s / 60
        payoff.found += weight * one.found
        payoff.useful += weight * useful
        payoff.useless += weight * (judged - useful)
    return sorted(found.values(), key=lambda one: (one.kind, one.area))
