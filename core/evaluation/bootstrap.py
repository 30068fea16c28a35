"""How far a figure would move with other commits: percentile intervals by resampling whole commits (Efron 1979).

Tokens of one commit are alike, so it is commits that are drawn, not tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.scoring.scores import Asked, Numbers, Scores

LEVEL = 0.95
_DRAWS_AT_ONCE = 256


def difference(asked: Asked, before: Scores, after: Scores, *, samples: int, seed: int) -> dict[str, Any]:
    """How much fewer bits `after` needs than `before`, for the same bytes, as a share: all tokens, and text alone.

    Each is {"share", "low", "high"}: 0.12 means 12 % fewer. Two equal predictors give exactly zero.
    """
    found = {}
    for name, chosen in (("all", np.ones(len(asked), bool)), ("text", asked.text)):
        sums = [by_commit(asked, scores.nats, chosen) for scores in (before, after)]
        share = 1 - _ratio(sums[1].sum(), sums[0].sum())

        def saved(weights: Numbers, before: Numbers = sums[0], after: Numbers = sums[1]) -> Numbers:
            return 1 - (weights @ after) / (weights @ before)

        low, high = interval(saved, len(sums[0]), samples=samples, seed=seed)
        found[name] = {"share": share, "low": low, "high": high, "commits": len(sums[0])}
    return found


def by_commit(asked: Asked, values: Numbers, chosen: NDArray[np.bool_]) -> Numbers:
    """Sum of the chosen tokens' values by commit."""
    sums = np.bincount(asked.commits[chosen], weights=values[chosen], minlength=len(asked.text_bytes))
    return sums.astype(np.float64)


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


def _ratio(after: float, before: float) -> float:
    return after / before if before else 1.0
