"""How far probabilities can be trusted: what was predicted against what came true."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.records.evaluation import Calibration, CalibrationBin

BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Bounds of the bins of probability in the calibration."""


def calibration(shown: Sequence[tuple[float, bool]]) -> Calibration:
    """How often answers came true, by the probability they were given; and the expected calibration error."""
    chances = np.array([chance for chance, _ in shown])
    true = np.array([right for _, right in shown], dtype=float)
    numbers = np.clip(np.searchsorted(BINS, chances, side="right") - 1, 0, len(BINS) - 2)
    bins = []
    for number in range(len(BINS) - 1):
        mine = numbers == number
        if mine.any():
            mean, rate = float(chances[mine].mean()), float(true[mine].mean())
            start, end = BINS[number], BINS[number + 1]
            bins.append(CalibrationBin(start=start, end=end, answers=int(mine.sum()), predicted=mean, true=rate))
    error = sum(one.answers * abs(one.predicted - one.true) for one in bins) / max(len(shown), 1)
    return Calibration(answers=len(shown), bins=bins, expected_calibration_error=error)
