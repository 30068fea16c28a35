"""When the next commit comes: not foreseeable, so a range that held before, with how often it did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.ranking.history import Floats, Past

GAPS = 100
"""Gaps between commits that make a range, and ranges before that are tried."""
LEAST_GAPS = 20
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True)
class When:
    """Seconds from the last commit to the next: the 10, 50 and 90 % points of the last gaps."""

    low: float
    middle: float
    high: float
    coverage: float | None
    """Part of the latest gaps that were within the range of those before them; None where too few are known."""
    gaps: int
    """Gaps that the range was made from."""


def when(past: Past) -> When | None:
    """The range of the time to the next commit; None with fewer than 20 gaps."""
    gaps = np.diff(past.commits.times[past.order]).astype(np.float64)
    if len(gaps) < LEAST_GAPS:
        return None
    low, middle, high = np.quantile(gaps[-GAPS:], [LOW, 0.5, HIGH]).tolist()
    return When(low, middle, high, _coverage(gaps), len(gaps[-GAPS:]))


def _coverage(gaps: Floats) -> float | None:
    """How often the range of the gaps before one held it, of the last 100 that have enough before them."""
    tried = range(max(len(gaps) - GAPS, LEAST_GAPS), len(gaps))
    held = [_holds(gaps[max(place - GAPS, 0) : place], gaps[place]) for place in tried]
    return float(np.mean(held)) if len(held) >= LEAST_GAPS else None


def _holds(before: Floats, gap: float) -> bool:
    low, high = np.quantile(before, [LOW, HIGH]).tolist()
    return bool(low <= gap <= high)
