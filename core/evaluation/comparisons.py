"""Who is right more often: places of right answers, compared commit by commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core import statistics
from core.records.evaluation import Estimate
from core.records.rankings import RANKER, Comparison


def comparison(places: Sequence[Mapping[str, int]], hits: Sequence[int], *, samples: int, seed: int) -> Comparison:
    """Accuracy of each who answers, and ours over each other one.

    `places` has, for each question, how many answers stand before the first right one, by who answers; RANKER is us.
    `hits` are the depths at which to look.
    """
    names = sorted(places[0], key=lambda name: name != RANKER)
    right = {
        name: {f"hit@{most}": np.array([one[name] < most for one in places], np.float64) for most in hits}
        for name in names
    }

    def estimate(values: statistics.Numbers) -> Estimate:
        return Estimate(**statistics.of_mean(values, samples=samples, seed=seed))

    return Comparison(
        questions=len(places),
        accuracy={name: {hit: estimate(values) for hit, values in right[name].items()} for name in names},
        differences={
            name: {hit: estimate(values - right[name][hit]) for hit, values in right[RANKER].items()}
            for name in names[1:]
        },
    )
