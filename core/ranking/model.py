"""A conditional logit over candidates: the shares that features give to each file, and how its weights are learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.ranking.history import Floats

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """A question whose answer is known: features of its candidates, shape (candidates, features), and the true ones."""

    features: Matrix
    true: NDArray[np.bool_]
    weight: float = 1.0
    """How many questions it counts as."""
    offset: Floats | None = None
    """What is added to the candidates' sums, whatever the weights."""


@dataclass(frozen=True)
class Logit:
    """Weights by feature. A candidate's share is the exponential of its weighted sum, all shares adding up to one."""

    weights: dict[str, float]

    def scores(self, features: Mapping[str, Floats]) -> Floats:
        """Weighted sums."""
        columns = [weight * features[name] for name, weight in self.weights.items() if weight]
        return np.sum(columns, axis=0)

    def shares(self, features: Mapping[str, Floats]) -> Floats:
        """Shares of the candidates."""
        return softmax(self.scores(features))


def softmax(scores: Floats) -> Floats:
    """Exponentials that add up to one; empty for nothing."""
    if not len(scores):
        return scores
    raised = np.exp(scores - scores.max())
    return raised / raised.sum()


def fit(
    examples: Sequence[Example],
    names: Sequence[str],
    *,
    ridge: float,
    prior: Mapping[str, float] | None = None,
    free: Sequence[str] = (),
) -> Logit:
    """Weights under which the true candidates are likeliest, the target spread evenly over those of one question.

    `ridge` draws each weight, times its feature's spread, to that of the `prior` (0 unless given). Features other than
    `free` ones are evidence for a file, so their weights are never below 0.
    """
    from scipy.optimize import minimize

    sizes = [len(example.true) for example in examples]
    starts = np.cumsum([0, *sizes[:-1]])
    stacked = np.concatenate([example.features for example in examples])
    spread = np.maximum(stacked.std(axis=0), 0.2).astype(np.float64)
    stacked /= spread.astype(np.float32)
    counts = np.array([example.weight for example in examples], np.float32)
    target = np.concatenate([example.weight * example.true / example.true.sum() for example in examples])
    offsets = np.concatenate([one.offset if one.offset is not None else np.zeros(len(one.true)) for one in examples])
    offsets = offsets.astype(np.float32)
    pulled = np.array([(prior or {}).get(name, 0.0) for name in names]) * spread
    wanted = target @ stacked

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = stacked @ weights.astype(np.float32) + offsets
        highest = np.maximum.reduceat(scores, starts)
        raised = np.exp(scores - np.repeat(highest, sizes))
        totals = np.add.reduceat(raised, starts)
        value = float((counts * (np.log(totals.astype(np.float64)) + highest)).sum() - wanted @ weights)
        expected = (raised / np.repeat(totals / counts, sizes)) @ stacked
        apart = weights - pulled
        return value + ridge / 2 * float(apart @ apart), expected - wanted + ridge * apart

    bounds = [(None, None) if name in free else (0, None) for name in names]
    found = minimize(
        loss, np.clip(pulled, 0, None), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300}
    )
    return Logit(dict(zip(names, (found.x / spread).tolist(), strict=True)))
