"""How much is trained: the first of several bounds, on which examples, in which order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.errors import UserError
from core.training.examples import Examples


@dataclass(frozen=True)
class Budget:
    """Bounds of a training, of which the first that is reached ends it; 0 sets none (but for `epochs`)."""

    epochs: float
    max_steps: int = 0
    max_train_tokens: int = 0
    max_minutes: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What will be trained on. `order` has an example for each place of every step."""

    order: list[int]
    steps: int
    available: int
    """Examples of the training split."""
    bound: str
    """The setting that ends the training."""
    newest_weight: float

    def covered(self, examples: Examples, steps: int, earlier: Sequence[int] = ()) -> dict[str, Any]:
        """What the first `steps` of the plan covered, JSON-ready; `earlier` examples were trained on before."""
        done = self.order[: steps * (len(self.order) // self.steps)]
        used, known = len(set(done)), set(earlier)
        return {
            "steps": steps,
            "planned_steps": self.steps,
            "blocks_used": used,
            "blocks_available": self.available,
            "coverage": used / self.available,
            "trained_tokens": sum(examples.tokens(number) for number in done),
            "bound_by": self.bound,
            "newest_weight": self.newest_weight,
            "replayed_blocks": sum(number in known for number in done),
        }

    def after(self, done: Sequence[int]) -> Plan:
        """The same plan, for a training that begins where another one, which trained on `done`, has ended.

        What that one has not seen comes first, evenly over the history.
        """
        known = set(done)
        left = [number for number in range(self.available) if number not in known] or list(range(self.available))
        wanted = max(len(self.order) - len(done), 0)
        rest = [left[place] for place in drawn(len(left), wanted, self.newest_weight)]
        return replace(self, order=[*done[: len(self.order)], *rest])

    def sentence(self) -> str:
        """The plan for people."""
        used = len(set(self.order))
        passes = f"{len(self.order) / self.available:.1f} times over" if used == self.available else "once each"
        spread = (
            "evenly over the history"
            if self.newest_weight == 1
            else f"over the history, the newest {self.newest_weight:g} times as often"
        )
        return (
            f"training {self.steps:,} steps on {used:,} of {self.available:,} blocks ({used / self.available:.1%} of "
            f"the training split, {passes}), spread {spread}; bound by {self.bound}"
        )


def plan(
    examples: Examples,
    budget: Budget,
    per_step: int,
    *,
    newest_weight: float = 1.0,
    step_seconds: float = 0.0,
    earlier: Sequence[int] = (),
    replay_share: float = 0.0,
) -> Plan:
    """The smallest of the budgets, as steps of `per_step` examples.

    `step_seconds` is what one step takes, for a budget of time. The examples numbered `earlier` were trained
    on before: `replay_share` of the plan is drawn from these, the rest from all others. Raises UserError
    where there is nothing to train on.
    """
    known = set(earlier)
    fresh = [number for number in range(len(examples)) if number not in known]
    total = len(fresh)
    if not total or not examples.tokens(fresh[0]):
        raise UserError("the training split holds less than two tokens", "take a repository with more history")
    share = replay_share if earlier else 0.0
    bounds = {"epochs": total * budget.epochs / (1 - share)}
    if budget.max_train_tokens:
        some = fresh[:: max(total // 1000, 1)]
        each = sum(examples.tokens(number) for number in some) / len(some)
        bounds["max_train_tokens"] = budget.max_train_tokens / each
    if budget.max_steps:
        bounds["max_steps"] = budget.max_steps * per_step
    if budget.max_minutes:
        bounds["max_minutes"] = max(budget.max_minutes * 60 / step_seconds, 1) * per_step if step_seconds else math.inf
    bound = min(bounds, key=lambda name: bounds[name])
    steps = max(math.ceil(bounds[bound] / per_step - 1e-9), 1)
    wanted = steps * per_step
    replayed = round(wanted * share)
    order = [fresh[place] for place in drawn(total, wanted - replayed, newest_weight)]
    if replayed:
        order = mixed(order, [earlier[place] for place in drawn(len(earlier), replayed, newest_weight)])
    return Plan(order, steps, len(examples), bound, newest_weight)


def drawn(count: int, wanted: int, newest_weight: float) -> list[int]:
    """`wanted` of `count` examples in their order: whole passes first, then a sample spread over all.

    The newest is `newest_weight` times as likely in the sample as the oldest, growing evenly (by the same
    factor in equal times) between. No example is in the sample twice.
    """
    passes, rest = divmod(wanted, count)
    return [*list(range(count)) * passes, *_sample(count, rest, newest_weight)]


def _sample(count: int, wanted: int, newest_weight: float) -> list[int]:
    """Systematic sampling: inclusion probabilities that add up to `wanted`, and a place at each half."""
    if not wanted:
        return []
    density = newest_weight ** np.linspace(0, 1, count) if count > 1 else np.ones(1)
    share = density * (wanted / density.sum())
    while (share > 1 + 1e-12).any():  # what would be taken more than once is taken, the others share the rest
        sure = share >= 1
        share = np.where(sure, 1.0, density)
        rest = wanted - int(sure.sum())
        share[~sure] *= rest / density[~sure].sum()
    places = np.searchsorted(np.cumsum(share), np.arange(wanted) + 0.5)
    chosen: list[int] = np.minimum(places, count - 1).tolist()
    return chosen


def mixed(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """Both in their own order, the second spread evenly among the first."""
    places = [((n + 0.5) / len(first), 0, value) for n, value in enumerate(first)]
    places += [((n + 0.5) / len(second), 1, value) for n, value in enumerate(second)]
    return [value for _, _, value in sorted(places)]
