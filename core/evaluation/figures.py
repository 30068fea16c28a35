"""How much one predictor saves beside another, with an interval over commits (core/statistics.py).

Tokens of one commit are alike, so it is commits that are drawn, not tokens.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.scoring.scores import Asked, Scores
from core.statistics import Numbers, interval


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


def _ratio(after: float, before: float) -> float:
    return after / before if before else 1.0
