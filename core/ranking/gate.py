"""A repository's own weights: learned from its older commits, used only where newer ones show that they are better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core import statistics
from core.ranking import calibration, fitting
from core.ranking.history import Floats
from core.ranking.model import Example
from core.ranking.ranker import MODES, Mode
from core.records.ranker import ModeWeights, RankerRecord

RIDGE = 160.0
"""How strongly own weights are drawn to the shipped ones: that of the prototype (100 to 200 commits)."""
MOST_CANDIDATES = 200
"""Files of a question that weights are learned from; the rest have next to no share."""
Examples = Mapping[Mode, Sequence[Example]]
"""A commit in every form that it has an answer in."""


@dataclass
class _Validation:
    """Questions of one form, newer than what weights were learned from."""

    gains: list[float] = field(default_factory=list)
    """Nats by which the own weights are better, by commit."""
    shares: list[Floats] = field(default_factory=list)
    """Under the own weights, by question; `true` are the right answers."""
    true: list[NDArray[np.bool_]] = field(default_factory=list)
    outcomes: list[fitting.Outcome] = field(default_factory=list)


def gated(
    training: Iterable[Examples],
    validation: Iterable[Examples],
    shipped: RankerRecord,
    *,
    least: int,
    samples: int,
    seed: int,
) -> RankerRecord:
    """Weights of every form: own ones where they are better on `validation` beyond chance, otherwise the shipped.

    Beyond chance is a 95 % interval of the paired difference of log-loss, over at least `least` commits, above 0.
    """
    groups: dict[Mode, list[Example]] = {}
    for one in training:
        for mode, examples in one.items():
            groups.setdefault(mode, []).extend(narrowed(example, mode, shipped) for example in examples)
    own = {
        mode: fitting.fitted(mode, {"": examples}, ridge=RIDGE, prior=shipped.modes[mode].weights)
        for mode, examples in groups.items()
    }
    found: dict[Mode, _Validation] = {mode: _Validation() for mode in own}
    for one in validation:
        for mode, examples in one.items():
            if mode in own:
                _judge(found[mode], mode, examples, own[mode], shipped)
    modes: dict[str, ModeWeights] = {}
    gate = []
    for mode in MODES:
        estimate = statistics.of_mean(np.array(found[mode].gains if mode in found else []), samples=samples, seed=seed)
        wins = estimate["n"] >= least and estimate["low"] is not None and estimate["low"] > 0
        modes[mode] = _weights(own[mode], found[mode], len(groups[mode])) if wins else shipped.modes[mode]
        why = _sentence(estimate, least, wins=wins) if mode != "issue" else "shipped weights; commits are no issues"
        gate.append(f"{mode}: {why}")
    return RankerRecord(modes=modes, gate=gate)


def narrowed(example: Example, mode: Mode, shipped: RankerRecord) -> Example:
    """An example without the candidates that the shipped weights put last."""
    if len(example.true) <= MOST_CANDIDATES:
        return example
    order = np.argsort(-fitting.shares(shipped.modes[mode].weights, mode, example), kind="stable")
    kept = example.true.copy()
    kept[order[:MOST_CANDIDATES]] = True
    return Example(example.features[kept], example.true[kept])


def _judge(
    found: _Validation, mode: Mode, examples: Sequence[Example], own: Mapping[str, float], shipped: RankerRecord
) -> None:
    gains = []
    for example in examples:
        mine = fitting.shares(own, mode, example)
        theirs = fitting.outcome(fitting.shares(shipped.modes[mode].weights, mode, example), example.true)
        found.outcomes.append(outcome := fitting.outcome(mine, example.true))
        found.shares.append(mine)
        found.true.append(example.true)
        gains.append(theirs.loss - outcome.loss)
    found.gains.append(float(np.mean(gains)))


def _weights(own: Mapping[str, float], found: _Validation, examples: int) -> ModeWeights:
    places = np.array([one.place for one in found.outcomes])
    figures = {
        "hit@1": (places < 1).mean(),
        "hit@5": (places < 5).mean(),
        "nats": np.mean([one.loss for one in found.outcomes]),
    }
    return ModeWeights(
        weights={name: round(weight, 6) for name, weight in own.items() if abs(weight) > 1e-6},
        calibration=[round(one, 6) for one in calibration.fit(found.shares, found.true)],
        examples=examples,
        figures={name: round(float(value), 4) for name, value in figures.items()},
    )


def _sentence(estimate: Mapping[str, float | None], least: int, *, wins: bool) -> str:
    count = estimate["n"] or 0
    if count < least:
        return f"shipped weights; fewer than {least} commits to validate its own on"
    difference = f"{estimate['mean']:+.3f} nats a question"
    if estimate["low"] is None:
        return f"shipped weights; its own gain {difference} on {count} commits, without an interval"
    difference += f" on {count} commits, 95 % interval {estimate['low']:+.3f} to {estimate['high']:+.3f}"
    if wins:
        return f"its own weights: they gain {difference}"
    return f"shipped weights; its own gain {difference}"
