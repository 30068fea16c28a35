"""How much is trained on: the first of several bounds, on which examples, in which order."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from core import process
from core.errors import UserError
from core.files import write_json
from core.records.training import TrainingSummary
from core.training.checkpoints import step_of
from core.training.examples import Examples


@dataclass(frozen=True)
class Budget:
    """Bounds of a training; the first that is reached ends it. 0 sets none (except for `epochs`)."""

    epochs: float
    max_steps: int = 0
    max_train_tokens: int = 0
    max_minutes: float = 0.0


@dataclass(frozen=True)
class Mixture:
    """Which examples a budget that does not reach all of them is spent on."""

    newest_weight: float = 1.0
    """How much more often the newest example is sampled than the oldest."""
    known: Sequence[int] = ()
    """Examples that an earlier model was trained on."""
    replay_share: float = 0.0
    """Share of these among the planned ones."""


@dataclass(frozen=True)
class Plan:
    """What will be trained on. `order` has an example for each place in every step."""

    order: list[int]
    steps: int
    available: int
    """Examples of the training split."""
    bound: str
    """The setting that ends the training."""
    newest_weight: float

    def covered(self, examples: Examples, steps: int, known: Sequence[int] = ()) -> TrainingSummary:
        """What the first `steps` of the plan covered; `known` examples were trained on before."""
        done = self.order[: steps * (len(self.order) // self.steps)]
        used, before = len(set(done)), set(known)
        return TrainingSummary(
            steps=steps,
            planned_steps=self.steps,
            blocks_used=used,
            blocks_available=self.available,
            coverage=used / self.available,
            trained_tokens=sum(examples.tokens(number) for number in done),
            bound_by=self.bound,
            newest_weight=self.newest_weight,
            replayed_blocks=sum(number in before for number in done),
        )

    def after(self, done: Sequence[int]) -> Plan:
        """The same plan, continuing a training that ended after the examples `done`.

        Examples that were not trained on come first, sampled over the history.
        """
        known = set(done)
        left = [number for number in range(self.available) if number not in known] or list(range(self.available))
        wanted = max(len(self.order) - len(done), 0)
        rest = [left[place] for place in sampled(len(left), wanted, self.newest_weight)]
        return replace(self, order=[*done[: len(self.order)], *rest])

    def sentence(self) -> str:
        """The plan for the log."""
        used = len(set(self.order))
        passes = f"{len(self.order) / self.available:.1f} times over" if used == self.available else "once each"
        spread = (
            "evenly over the history"
            if self.newest_weight == 1
            else f"over the history, the newest {self.newest_weight:g} times as often as the oldest"
        )
        return (
            f"training {self.steps:,} steps on {used:,} of {self.available:,} blocks ({used / self.available:.1%} of "
            f"the training split, {passes}), spread {spread}; bound by {self.bound}"
        )


def kept_plan(
    examples: Examples,
    budget: Budget,
    mixture: Mixture,
    per_step: int,
    *,
    step_seconds: float,
    checkpoint: Path | None,
    path: Path,
) -> Plan:
    """The plan in `path` if it was made for the same budget, otherwise a new one, which is written there.

    The plan is kept since a budget of time would give a resumed run another one. A training that resumes from
    `checkpoint` with another budget keeps the order up to there and adds to it.
    """
    kept = json.loads(path.read_bytes()) if path.exists() else {}
    same = kept.get("bounds") == asdict(budget)
    bounds = Budget(float("inf"), kept["steps"]) if same else budget
    plan = make_plan(examples, bounds, per_step, mixture, step_seconds=step_seconds)
    if same:
        plan = replace(plan, order=kept["order"], bound=kept["bound"])
    elif kept and checkpoint:
        plan = plan.after(kept["order"][: step_of(checkpoint) * per_step])
    if process.is_main():
        write_json(path, {"bounds": asdict(budget), "steps": plan.steps, "bound": plan.bound, "order": plan.order})
    return plan


def make_plan(
    examples: Examples, budget: Budget, per_step: int, mixture: Mixture | None = None, *, step_seconds: float = 0.0
) -> Plan:
    """The tightest of the bounds, in steps of `per_step` examples; a step takes `step_seconds`.

    Raises UserError where there is nothing to train on.
    """
    mixture = mixture or Mixture()
    known = set(mixture.known)
    fresh = [number for number in range(len(examples)) if number not in known]
    if not fresh or not examples.tokens(fresh[0]):
        raise UserError("the training split holds less than two tokens", "choose a repository with more history")
    share = mixture.replay_share if known else 0.0
    bounds = bounds_of(examples, fresh, budget, per_step, share=share, step_seconds=step_seconds)
    bound = min(bounds, key=lambda name: bounds[name])
    steps = max(math.ceil(bounds[bound] / per_step - 1e-9), 1)
    wanted = steps * per_step
    replayed = round(wanted * share)
    order = [fresh[place] for place in sampled(len(fresh), wanted - replayed, mixture.newest_weight)]
    if replayed:
        old = sampled(len(mixture.known), replayed, mixture.newest_weight)
        order = interleaved(order, [mixture.known[place] for place in old])
    return Plan(order, steps, len(examples), bound, mixture.newest_weight)


def bounds_of(
    examples: Examples, fresh: Sequence[int], budget: Budget, per_step: int, *, share: float, step_seconds: float
) -> dict[str, float]:
    """How many examples each bound allows, by the name of its setting; `share` of them are replayed ones."""
    bounds = {"epochs": len(fresh) * budget.epochs / (1 - share)}
    if budget.max_train_tokens:
        some = fresh[:: max(len(fresh) // 1000, 1)]  # a thousand are enough for a mean
        each = sum(examples.length(number) for number in some) / len(some)
        bounds["max_train_tokens"] = budget.max_train_tokens / each
    if budget.max_steps:
        bounds["max_steps"] = budget.max_steps * per_step
    if budget.max_minutes:
        bounds["max_minutes"] = max(budget.max_minutes * 60 / step_seconds, 1) * per_step if step_seconds else math.inf
    return bounds


def sampled(count: int, wanted: int, newest_weight: float) -> list[int]:
    """`wanted` of `count` examples, oldest first: whole passes, then a sample spread over all.

    In the sample, the newest is `newest_weight` times as likely as the oldest, and the weight grows by the same
    factor from each example to the next. No example is in the sample twice.
    """
    passes, rest = divmod(wanted, count)
    return [*list(range(count)) * passes, *_systematic_sample(count, rest, newest_weight)]


def _systematic_sample(count: int, wanted: int, newest_weight: float) -> list[int]:
    """Systematic sampling: each example covers a stretch of length p of a line, with one point at each half.

    The inclusion probabilities p add up to `wanted`. Unlike independent draws, evenly spaced points leave no gap in
    the history and need no random numbers, so a resumed run samples the same examples.
    """
    if not wanted:
        return []
    density = newest_weight ** np.linspace(0, 1, count) if count > 1 else np.ones(1)
    share = density * (wanted / density.sum())
    # A stretch longer than 1 could hold two points. Such examples are taken once for certain, and the rest of the
    # probability is shared out among the others, which may lift further ones above 1. (1e-12 is for rounding.)
    while (share > 1 + 1e-12).any():
        sure = share >= 1
        share = np.where(sure, 1.0, density)
        rest = wanted - int(sure.sum())
        share[~sure] *= rest / density[~sure].sum()
    # Points at the halves stay clear of both ends of the line, where rounding of the sums could lose one.
    places = np.searchsorted(np.cumsum(share), np.arange(wanted) + 0.5)
    chosen: list[int] = np.minimum(places, count - 1).tolist()
    return chosen


def interleaved(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """Both in their own order, the second spread evenly among the first."""
    places = [((n + 0.5) / len(first), 0, value) for n, value in enumerate(first)]
    places += [((n + 0.5) / len(second), 1, value) for n, value in enumerate(second)]
    return [value for _, _, value in sorted(places)]
