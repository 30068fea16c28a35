"""A few short trainings, each with the real loop and the plan of its own budget: what they cost, how long they take."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import UserError
from core.training.adapter import trainable_state

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from core.records.training import MemoryReport

SECONDS = 60.0
"""How long the short trainings take together, by the time of a probe step."""
SHARES = (0.25, 0.5, 1.0)
"""Their lengths, as shares of the longest one. A budget decides the learning rate of every step, so that no point
within a training is the end of a shorter one."""
LEAST_STEPS = 4
"""Of the longest one."""


@dataclass(frozen=True)
class Speed:
    """Tokens trained on in a second: on the whole, and in the slowest and the fastest tenth of the steps."""

    mean: float
    low: float
    high: float

    def sentence(self) -> str:
        """It in words."""
        return (
            f"{self.mean:,.0f} tokens a second are trained on here ({self.low:,.0f} to {self.high:,.0f} in most steps)."
        )


def budgets(memory: MemoryReport, available: float) -> list[int]:
    """Steps of each short training; `available` are those that the training split allows.

    Raises UserError where these are too few, or where no step was probed.
    """
    if not memory.step_seconds:
        raise UserError(
            "--estimate needs the time of a probe step, which fit_memory: false leaves out", "set fit_memory: true"
        )
    if available < LEAST_STEPS:
        raise UserError(
            f"the training split is read in {int(available)} steps, an estimate takes {LEAST_STEPS}",
            "choose a repository with more history, or train: it takes less time than an estimate",
        )
    longest = int(min(max(SECONDS / sum(SHARES) / memory.step_seconds, LEAST_STEPS), available))
    return [max(round(longest * share), 1) for share in SHARES]


@dataclass
class Rehearsal:
    """A model that is trained again and again from the same weights and random numbers, and the time that it takes."""

    model: PreTrainedModel
    seed: int

    def __post_init__(self) -> None:
        # Copies: the weights themselves are trained in place.
        self._first: dict[str, Tensor] = {name: value.clone() for name, value in trainable_state(self.model).items()}
        if not self._first:
            raise UserError("no weight of this model is trained", "choose another model_training.method")
        self._tokens = self._passes = 0
        self._seconds: list[float] = []

    def run(self, train: Callable[[], object], tokens: int) -> None:
        """A training that reads so many tokens, timed from one forward pass to the next."""
        marks: list[float] = []

        def mark(*_: object) -> None:
            marks.append(time.monotonic())

        self._reset()
        handle = self.model.register_forward_pre_hook(mark)
        try:
            train()
        finally:
            handle.remove()
            self.model.zero_grad(set_to_none=True)
            gc.collect()  # the state of an optimizer, which would be held while the next one has its own
        self._tokens, self._passes = self._tokens + tokens, self._passes + len(marks)
        self._seconds += np.diff(marks).tolist()

    @property
    def speed(self) -> Speed:
        """Without the first pass, which is slower than the others."""
        passes = self._seconds[1:] or self._seconds
        each = self._tokens / self._passes
        fast, slow = np.quantile(passes, [0.1, 0.9]).tolist()
        return Speed(each / statistics.fmean(passes), each / slow, each / fast)

    def _reset(self) -> None:
        import torch
        from transformers import set_seed

        with torch.no_grad():
            for name, value in self.model.named_parameters():
                if name in self._first:
                    value.copy_(self._first[name])
        set_seed(self.seed)
