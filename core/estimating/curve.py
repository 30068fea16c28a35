"""Validation loss as a function of the tokens trained on: a power law with an offset, and how sure it is.

From a few points at the beginning of a curve, how steep it is later and what it falls to in the end cannot be told:
many curves go through them. So none is chosen. Each curve of a grid counts as much as the points make it likely, and
a prediction is the spread of what they say. Near the points they agree; the further away, the less they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.statistics import LEVEL

Numbers = NDArray[np.float64]

GAIN_NOISE, LOSS_NOISE = 0.7, 0.04
"""How far the result of a training of one step is from a smooth curve (standard deviation): a share of what was
gained, and a share of the untuned loss. It falls with the root of the steps. `benchmarks/estimates.py` checks them."""
_FLOORS = np.linspace(0.2, 0.96, 20)
"""What is never lost, as a share of the untuned loss."""
_POWERS = np.geomspace(0.05, 2.0, 16)
_ONSETS = np.array([1.0, 1.5, 2.0])
"""How it begins: what is gained grows with this power of the tokens. The first steps of a training gain less than those
after them, while the learning rate rises and the optimizer finds its pace."""
_SCALES = np.geomspace(1e-2, 1e2, 21)
"""Tokens until the power law sets in, as a share of the longest training."""
_NORMAL = np.array([-1.8, -1.1, -0.7, -0.35, 0.0, 0.35, 0.7, 1.1, 1.8])
"""A normal distribution in nine equal parts."""


@dataclass(frozen=True)
class Point:
    """The result of one training."""

    tokens: float
    loss: float


@dataclass(frozen=True)
class Range:
    """A predicted loss with its 95 % interval."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Curves, each with its weight (all 1-D).

    loss = floor + (untuned - floor) * (1 + (tokens / scale) ** onset) ** -power
    """

    untuned: float
    step_tokens: float
    measured: float
    """Tokens of the longest training that was measured."""
    floors: Numbers
    powers: Numbers
    onsets: Numbers
    scales: Numbers
    weights: Numbers

    @classmethod
    def through(cls, untuned: float, points: Sequence[Point], step_tokens: float) -> Curve | None:
        """The curves near the results of some trainings; None where the longest one gained nothing.

        `step_tokens` are those of one optimizer step.
        """
        longest = max(points, key=lambda point: point.tokens)
        if not longest.loss < untuned:
            return None
        grid = np.meshgrid(_FLOORS * untuned, _POWERS, _ONSETS, _SCALES * longest.tokens, indexing="ij")
        floors, powers, onsets, scales = (axis.reshape(-1) for axis in grid)
        made = cls(untuned, step_tokens, longest.tokens, floors, powers, onsets, scales, np.ones_like(floors))
        badness = np.zeros_like(floors)
        for point in points:
            noise = made._noise(untuned - longest.loss, point.tokens)
            badness += ((made._losses(point.tokens) - point.loss) / noise) ** 2 / 2
        weights = np.exp(badness.min() - badness)
        return cls(untuned, step_tokens, longest.tokens, floors, powers, onsets, scales, weights / weights.sum())

    def at(self, tokens: float) -> Range:
        """What a training on so many tokens is expected to reach."""
        losses = self._losses(tokens)
        # Beyond what was measured the results may leave the curve, so their noise falls no further.
        noise = self._noise(self.untuned - losses, min(tokens, self.measured))
        values = (losses[:, None] + noise[:, None] * _NORMAL).reshape(-1)
        order = np.argsort(values)
        share = np.cumsum(np.repeat(self.weights, len(_NORMAL))[order])
        wanted = np.array([0.5, (1 - LEVEL) / 2, (1 + LEVEL) / 2]) * share[-1]
        middle, low, high = values[order][np.searchsorted(share, wanted)]
        return Range(float(middle), float(max(low, 0.0)), float(high))

    def _losses(self, tokens: float) -> Numbers:
        """Of each curve."""
        fall = (1 + (tokens / self.scales) ** self.onsets) ** -self.powers
        losses: Numbers = self.floors + (self.untuned - self.floors) * fall
        return losses

    def _noise(self, gains: Numbers | float, tokens: float) -> Numbers:
        """Standard deviation of the results of trainings that gain so much on so many tokens."""
        of_one_step = np.hypot(GAIN_NOISE * np.asarray(gains), LOSS_NOISE * self.untuned)
        noise: Numbers = of_one_step / np.sqrt(max(tokens / self.step_tokens, 1.0))
        return noise
