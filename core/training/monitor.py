"""Metrics, progress and checkpoints while a model trains, and what ends a training before its last step."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

from tensorboardX import SummaryWriter
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.progress import Progress
from core.records.training import METRICS, VALIDATION_LOSS, read_metrics

_NAMES = {"loss": "loss", "learning_rate": "learning_rate", "grad_norm": "grad_norm", "eval_loss": VALIDATION_LOSS}
"""The Trainer's names, and ours."""


class TrainingMonitor(TrainerCallback):  # type: ignore[misc]
    """Follows a Trainer: metrics as JSON lines and TensorBoard events, progress, checkpoints, early ends.

    `patience` is the number of validations in a row that may bring no improvement. 0 sets no bound, for it and for
    `most_minutes`. Only the `main` of several processes writes.
    """

    def __init__(
        self,
        folder: Path,
        progress: Progress | None,
        *,
        checkpoint_steps: int,
        patience: int,
        most_minutes: float,
        main: bool,
    ) -> None:
        self._folder = folder
        self._progress, self._main = progress, main
        self._checkpoint_steps, self._patience = checkpoint_steps, patience
        self._most_s = most_minutes * 60
        self._events = SummaryWriter(str(folder / "tensorboard")) if main else None
        self.interrupted = False
        self.ended_by = ""
        """Why the training ended before its last step; empty where it did not."""

    def begin(self, step: int) -> None:
        """Continue after `step`: metrics of later steps are dropped."""
        kept = [entry for entry in read_metrics(self._folder) if entry["step"] <= step]
        self._losses = [entry[VALIDATION_LOSS] for entry in kept if VALIDATION_LOSS in entry]
        if self._main:
            (self._folder / METRICS).write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """From here on Ctrl-C ends the step first."""
        self._started = time.monotonic()
        if self._progress:
            self._progress.advance(state.global_step)
        signal.signal(signal.SIGINT, self._interrupt)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Progress and regular checkpoints; an interrupt or a spent budget saves one and stops."""
        if self._progress:
            self._progress.advance()
        if state.global_step % self._checkpoint_steps == 0:
            control.should_save = True
        if self._most_s and time.monotonic() - self._started > self._most_s and state.global_step < state.max_steps:
            self._end(control, "max_minutes")
        if self.interrupted:
            self._end(control, "interrupt")

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, Any], **_: Any
    ) -> None:
        """Loss, learning rate and gradient norm of a step; the loss on the validation blocks."""
        known: dict[str, float] = {own: logs[name] for name, own in _NAMES.items() if name in logs}
        if known and self._main and self._events:
            with (self._folder / METRICS).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, **known}) + "\n")
            for name, value in known.items():
                self._events.add_scalar(name, value, state.global_step)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **_: Any,
    ) -> None:
        """Stop if the last validations brought no improvement; a resumed run counts those before it, too."""
        self._losses.append(metrics["eval_loss"])
        if self._patience and len(self._losses) - 1 - self._losses.index(min(self._losses)) >= self._patience:
            self._end(control, "early_stopping")

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Flush; from here on Ctrl-C ends the process again."""
        if self._events:
            self._events.close()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _end(self, control: TrainerControl, why: str) -> None:
        control.should_save = control.should_training_stop = True
        self.ended_by = self.ended_by or why

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupted = True
