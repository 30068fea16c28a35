"""Figures of what predictors give the targets, and what one saves compared with another, with intervals over commits.

Tokens of one commit are alike, so the intervals draw commits, not tokens (core/statistics.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.records.evaluation import Figures, Gain, Group, Saving
from core.scoring.scores import Flags, Ints, Numbers, Scores, Targets, bits_per_byte
from core.statistics import interval


def figures(targets: Targets, scores: Scores) -> Figures:
    """Loss, perplexity, bits per byte and, for a predictor that ranks, accuracy."""
    text = scores.nats[targets.text]
    row = Figures(
        tokens=len(targets),
        text_tokens=len(text),
        text_bytes=int(targets.text_bytes.sum()),
        commits=len(targets.text_bytes),
        loss=_mean(scores.nats),
        perplexity=_exp(_mean(scores.nats)),
        text_perplexity=_exp(_mean(text)),
        bits_per_byte=bits_per_byte(scores.nats, targets),
        text_bits_per_byte=bits_per_byte(text, targets),
    )
    if scores.correct is not None:
        row.token_accuracy = _mean(scores.correct)
        row.text_token_accuracy = _mean(scores.correct[targets.text])
    return row


def gain(targets: Targets, before: Scores, after: Scores, *, samples: int, seed: int) -> Gain:
    """How many fewer bits `after` needs than `before`, as a share: 0.12 means 12 % fewer.

    Two equal predictors give exactly zero.
    """

    def saving(chosen: Flags) -> Saving:
        first, second = (by_commit(targets, scores.nats, chosen) for scores in (before, after))
        low, high = interval(lambda w: 1 - (w @ second) / (w @ first), len(first), samples=samples, seed=seed)
        return Saving(share=1 - _ratio(float(second.sum()), float(first.sum())), low=low, high=high, commits=len(first))

    return Gain(all=saving(np.ones(len(targets), bool)), text=saving(targets.text))


def by_commit(targets: Targets, values: Numbers, chosen: Flags) -> Numbers:
    """Sums of the chosen targets' values, one for each commit."""
    sums = np.bincount(targets.commits[chosen], weights=values[chosen], minlength=len(targets.text_bytes))
    return sums.astype(np.float64)


def by_group(names: Sequence[str], groups: Ints, rows: Mapping[str, Scores]) -> dict[str, Group]:
    """Mean bits per token of each predictor by group; `groups` has, for each target, a number into `names`."""
    found: dict[str, Group] = {}
    for number, name in enumerate(names):
        mine = groups == number
        if count := int(mine.sum()):
            bits = {row: _mean(scores.nats[mine]) / math.log(2) for row, scores in rows.items()}
            found[name] = Group(tokens=count, bits_per_token=bits)
    return found


def _ratio(after: float, before: float) -> float:
    return after / before if before else 1.0


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _exp(loss: float) -> float:
    return math.exp(loss) if loss < 700 else math.inf
