"""Weights of adapters that are learnt: a few are tried on commits that neither the adapters nor the proof have seen.

LoraHub (Huang et al. 2023) learns such weights without gradients. Here they add up to 1, so there is one number fewer
than adapters, and a quadratic model of the bits (COBYQA) finds the best in few trials.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.fusion import folder, fusing, histories
from core.fusion.fusing import Recipe
from core.fusion.histories import History
from core.fusion.parents import Parent
from core.fusion.weighting import Weighting
from core.models import model_folder
from core.progress import Progress
from core.records.fusion import FusedParent, Origin, Trial
from core.scoring.scores import bits_per_byte

FIRST_STEP = 0.25
"""How far from the first weights others are tried."""
LEAST_STEP = 0.01
"""Weights that are nearer to each other than this make no difference."""


@dataclass(frozen=True)
class Data:
    """What weights are learnt on."""

    outputs: Sequence[Path]
    """Of the adapters' pipelines, in their order."""
    tokens: int
    """Read of each; 0 for all."""
    cache_dir: Path


def check_trials(trials: int, adapters: int) -> None:
    """Raise UserError where they are too few to learn anything."""
    if trials < 2 * adapters - 1:
        raise UserError(
            f"{trials} trials are too few to learn the weights of {adapters} adapters",
            f"--learn-weights {2 * adapters - 1} or more",
        )


def learn(
    parents: Sequence[Parent], recipe: Recipe, trials: int, data: Data, scratch: Path
) -> tuple[Weighting, list[Trial]]:
    """The best of `trials` weights by bits per byte on the validation commits, beginning with the recipe's.

    `scratch` is a folder for what is tried (`folder_of`). Raises UserError where the data is not that of the adapters.
    """
    check_trials(trials, len(parents))
    tried: list[Trial] = []
    found: list[History] = []
    with Progress("learning weights", trials, "trials") as progress:

        def bits(weights: Sequence[float]) -> float:
            place = _write(parents, replace(recipe, weights=weights), folder_of(scratch, len(tried)), data.cache_dir)
            loaded = model_folder.load(place, data.cache_dir)
            if not found:
                found.extend(histories.read(parents, data.outputs, loaded.vocabulary, "val", data.tokens))
            scored = [bits_per_byte(one.score(loaded.model).nats, one.held_out.targets) for one in found]
            tried.append(Trial(weights=list(weights), bits_per_byte=sum(scored) / len(scored)))
            progress.advance()
            return tried[-1].bits_per_byte

        search(bits, recipe.weights, trials)
    best = min(tried, key=lambda one: one.bits_per_byte)
    why = (
        f"weights learnt in {len(tried)} trials on validation commits: {best.bits_per_byte:.4f} bits per byte there, "
        f"{tried[0].bits_per_byte:.4f} without learning"
    )
    return Weighting(best.weights, why), tried


def folder_of(scratch: Path, trial: int) -> Path:
    """Where a trial's adapter is; the first one is that of the weights without learning."""
    return scratch / str(trial)


def search(bits: Callable[[Sequence[float]], float], first: Sequence[float], trials: int) -> None:
    """Call `bits` at most `trials` times, with weights that add up to 1, where the fewest are to be expected."""
    from scipy.optimize import LinearConstraint, minimize

    def of(free: NDArray[np.float64]) -> float:
        weights = np.clip([*free, 1 - free.sum()], 0, None)
        return bits((weights / weights.sum()).tolist())

    free = len(first) - 1
    minimize(
        of,
        np.array(first[:-1]),
        method="COBYQA",
        bounds=[(0, 1)] * free,
        constraints=LinearConstraint(np.ones((1, free)), 0, 1),
        options={"maxfev": trials, "initial_tr_radius": FIRST_STEP, "final_tr_radius": LEAST_STEP},
    )


def _write(parents: Sequence[Parent], recipe: Recipe, target: Path, cache_dir: Path) -> Path:
    named = [
        FusedParent(name=parent.name, sha256=parent.sha256, weight=weight)
        for parent, weight in zip(parents, recipe.weights, strict=True)
    ]
    folder.write(
        target, parents, fusing.fuse(parents, recipe), Origin(method=recipe.method, parents=named), [], cache_dir
    )
    return target
