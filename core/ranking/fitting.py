"""Learning the weights of every form of a question from past commits, and judging them on what was held out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.ranking import calibration, model
from core.ranking.examples import Case, asked
from core.ranking.history import Floats
from core.ranking.model import Example, softmax
from core.ranking.ranker import FEATURES, FREE, MODES, Mode
from core.ranking.snapshot import Snapshot
from core.records.ranker import ModeWeights

RIDGE = 10.0
FOLDS = 4
Group = Mapping[str, Sequence[Example]]
"""Examples by repository."""


@dataclass(frozen=True)
class Outcome:
    """How a ranking did on one question."""

    place: int
    """Of the best right answer, from 0."""
    loss: float
    """Mean of -log(share) over the right answers, in nats."""


def examples_of(snapshot: Snapshot, case: Case) -> dict[Mode, list[Example]]:
    """A case in every form that it has an answer in."""
    forms: Iterable[tuple[Mode, str]] = (
        ("task", case.title),
        ("task", case.masked()),  # a task is written before its files are known
        ("history", ""),
        ("change", ""),
        ("change_task", case.title),
    )
    found: dict[Mode, list[Example]] = {}
    for mode, task in forms:
        if one := asked(snapshot, case, mode, task):
            found.setdefault(mode, []).append(one.example)
    return found


def fitted(
    mode: Mode, groups: Group, *, ridge: float = RIDGE, prior: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Weights of one form from the examples of several repositories."""
    examples = [example for group in groups.values() for example in group]
    names = FEATURES[mode]
    return model.fit(examples, names, ridge=ridge, prior=prior, free=[name for name in names if name in FREE]).weights


def held_out_shares(mode: Mode, groups: Group) -> dict[str, list[Floats]]:
    """Shares of every repository's candidates from weights that were learned on others."""
    names = sorted(groups)
    found = {}
    for fold in range(min(FOLDS, len(names))):
        tested = names[fold::FOLDS]
        others = {name: group for name, group in groups.items() if name not in tested}
        weights = fitted(mode, others or groups)
        for name in tested:
            found[name] = [shares(weights, mode, example) for example in groups[name]]
    return found


def shares(weights: Mapping[str, float], mode: Mode, example: Example) -> Floats:
    """Shares of an example's candidates."""
    return softmax(example.features.astype(np.float64) @ np.array([weights.get(name, 0.0) for name in FEATURES[mode]]))


def outcome(shares_: Floats, true: NDArray[np.bool_]) -> Outcome:
    """How shares did."""
    order = np.argsort(-shares_, kind="stable")
    return Outcome(int(np.argmax(true[order])), float(-np.log(shares_[true] + 1e-12).mean()))


def mode_weights(mode: Mode, groups: Group) -> ModeWeights:
    """Weights with calibration and figures, both from repositories that are held out in turn."""
    apart = held_out_shares(mode, groups)
    pairs = [
        (one, example.true) for name, group in groups.items() for one, example in zip(apart[name], group, strict=True)
    ]
    outcomes = [outcome(one, true) for one, true in pairs]
    places = np.array([one.place for one in outcomes])
    figures = {"hit@1": (places < 1).mean(), "hit@5": (places < 5).mean(), "nats": np.mean([o.loss for o in outcomes])}
    return ModeWeights(
        weights={name: round(weight, 6) for name, weight in fitted(mode, groups).items() if abs(weight) > 1e-6},
        calibration=[round(one, 6) for one in calibration.fit([one for one, _ in pairs], [true for _, true in pairs])],
        examples=len(pairs),
        figures={name: round(float(value), 4) for name, value in figures.items()},
    )


def all_modes(groups: Mapping[Mode, Group]) -> dict[str, ModeWeights]:
    """Weights of every form."""
    return {mode: mode_weights(mode, groups[mode]) for mode in MODES if groups.get(mode)}
