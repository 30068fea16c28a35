"""How much each thing that is known of a file counts: a logit of ranks within a repository.

Ranks, since files are only compared with others of their repository, and repositories differ by orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import rankdata

from thoughts.risk.files import FileFacts

Floats = NDArray[np.float64]
FEATURES = ("lines", "branches", "changes", "recency", "fixes", "fixes_nearby")
SHIPPED = Path(__file__).with_name("weights.json")
RIDGE = 0.1


class Weights(msgspec.Struct, frozen=True):
    """What ships: the weight of each of `FEATURES`, and the repositories that it was learned from."""

    weights: dict[str, float]
    repositories: list[str]


@cache
def shipped() -> Weights:
    """The weights that ship (`scripts/fit_risk.py` makes them)."""
    return msgspec.json.decode(SHIPPED.read_bytes(), type=Weights)


def ranks(values: Floats) -> Floats:
    """The place of each value among all, above -0.5 and below 0.5; equal values share their mean."""
    return np.asarray((rankdata(values) - 0.5) / len(values) - 0.5, dtype=np.float64)


def features_of(files: Sequence[FileFacts]) -> Floats:
    """(files, features), as ranks."""
    if not files:
        return np.zeros((0, len(FEATURES)))
    return np.column_stack([ranks(np.array([getattr(one, name) for one in files], float)) for name in FEATURES])


def scores(files: Sequence[FileFacts], weights: Weights) -> Floats:
    """One number a file: more is likelier to be repaired. It compares files of one commit, and is no probability."""
    each = np.array([weights.weights[name] for name in FEATURES])
    return np.asarray(features_of(files) @ each, dtype=np.float64)


def by_line(found: Floats, lines: Floats) -> Floats:
    """The order for somebody who reads: what a line of each file is worth."""
    return np.asarray(expit(found) / np.maximum(lines, 1), dtype=np.float64)


def fitted(cells: Sequence[tuple[Floats, NDArray[np.bool_]]]) -> dict[str, float]:
    """Weights from cells, each with the features of its files and which of them were repaired.

    Each cell counts the same however many files it has, and has an intercept of its own.
    """
    count = len(FEATURES)

    def loss(at: Floats) -> tuple[float, Floats]:
        weights, slopes = at[:count], np.zeros_like(at)
        value = RIDGE * float(weights @ weights) / 2
        slopes[:count] = RIDGE * weights
        for number, (features, repaired) in enumerate(cells, start=count):
            logits = features @ weights + at[number]
            value += float(np.mean(np.logaddexp(0, logits) - repaired * logits))
            off = (expit(logits) - repaired) / len(repaired)
            slopes[:count] += features.T @ off
            slopes[number] += off.sum()
        return value, slopes

    found = minimize(loss, np.zeros(count + len(cells)), jac=True, method="L-BFGS-B").x
    return {name: round(float(value), 4) for name, value in zip(FEATURES, found, strict=False)}
