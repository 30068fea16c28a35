"""How far a figure would move with other units: percentile intervals by resampling (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
LEVEL = 0.95
_DRAWS_AT_ONCE = 256


def interval(
    statistic: Callable[[Numbers], Numbers], units: int, *, samples: int, seed: int
) -> tuple[float | None, float | None]:
    """Percentile interval of a statistic of units drawn with replacement; (None, None) with fewer than two units.

    `statistic` gets how often each unit was drawn, (draws, units), and gives one number a draw.
    """
    if units < 2 or not samples:
        return None, None
    draw = np.random.default_rng(seed)
    values: list[float] = []
    for start in range(0, samples, _DRAWS_AT_ONCE):
        number = min(_DRAWS_AT_ONCE, samples - start)
        weights = draw.multinomial(units, np.full(units, 1 / units), size=number).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            values += statistic(weights).tolist()
    kept = np.array(values)[np.isfinite(values)]
    if not len(kept):
        return None, None
    low, high = np.quantile(kept, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def of_mean(values: Numbers, *, samples: int, seed: int) -> dict[str, Any]:
    """Mean of one number a unit, with its interval."""
    low, high = interval(lambda w: w @ values / w.sum(axis=1), len(values), samples=samples, seed=seed)
    return {"mean": float(values.mean()) if len(values) else None, "low": low, "high": high, "n": len(values)}
