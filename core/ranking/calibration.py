"""From a share of all candidates to the probability that a file changes: a logistic function of how the shares lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.ranking.history import Floats

TERMS = 5
"""Constant, log of the share, log of the rest, log of the rank, entropy of all shares."""
_LEAST = 1e-9


def describe(shares: Floats) -> Floats:
    """What the function sees of each candidate; shape (candidates, TERMS)."""
    order = np.argsort(-shares, kind="stable")
    ranks = np.empty(len(shares))
    ranks[order] = np.arange(1, len(shares) + 1)
    kept = shares.clip(_LEAST, 1 - 1e-6)
    entropy = -(kept * np.log(kept)).sum()
    columns = (np.ones(len(shares)), np.log(kept), np.log1p(-kept), np.log(ranks), np.full(len(shares), entropy))
    return np.stack(columns, axis=1)


def probabilities(shares: Floats, calibration: Sequence[float]) -> Floats:
    """The probability that each candidate is among the changed files."""
    if not calibration:
        return shares
    return 1 / (1 + np.exp(-(describe(shares) @ np.array(calibration)).clip(-30, 30)))


def fit(shares: Sequence[Floats], true: Sequence[NDArray[np.bool_]], *, best: int = 50) -> list[float]:
    """Weights under which the outcomes of the best candidates are likeliest."""
    from scipy.optimize import minimize

    seen, outcomes = [], []
    for one, truth in zip(shares, true, strict=True):
        top = np.argsort(-one, kind="stable")[:best]
        seen.append(describe(one)[top])
        outcomes.append(truth[top])
    stacked, wanted = np.concatenate(seen), np.concatenate(outcomes).astype(np.float64)

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = stacked @ weights
        value = np.logaddexp(0, scores).sum() - wanted @ scores + 0.01 * weights @ weights
        return float(value), stacked.T @ (1 / (1 + np.exp(-scores)) - wanted) + 0.02 * weights

    found: list[float] = minimize(loss, np.zeros(TERMS), jac=True, method="L-BFGS-B").x.tolist()
    return found
