"""What is written down while a model trains: metrics as JSON lines and TensorBoard events, progress, interrupts."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from tensorboardX import SummaryWriter
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.progress import Progress
from core.training_logs import METRICS, read_metrics


class TrainingMonitor(TrainerCallback):  # type: ignore[misc]
    """Follows a Trainer. `validate` gives the validation loss at this moment."""

    def __init__(self, folder: Path, progress: Progress, validate: Callable[[], float], validate_every: int) -> None:
        self._path = folder / METRICS
        self._progress, self._validate, self._validate_every = progress, validate, validate_every
        self._events = SummaryWriter(str(folder / "tensorboard"))
        self.interrupted = False

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Resuming: forget what was noted after the checkpoint. From here on Ctrl-C ends the step first."""
        kept = [entry for entry in read_metrics(self._path) if entry["step"] <= state.global_step]
        self._path.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")
        self._progress.advance(state.global_step)
        signal.signal(signal.SIGINT, self._interrupt)
        if state.global_step == 0 and self._validate_every:
            self._note(0, {"val_loss": self._validate()})

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Progress; validation now and then; an interrupt saves a checkpoint and stops."""
        self._progress.advance()
        if self._validate_every and (
            state.global_step % self._validate_every == 0 or state.global_step == state.max_steps
        ):
            self._note(state.global_step, {"val_loss": self._validate()})
        if self.interrupted:
            control.should_save = control.should_training_stop = True

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, Any], **_: Any
    ) -> None:
        """Loss, learning rate and gradient norm of a step."""
        known: dict[str, float] = {key: logs[key] for key in ("loss", "learning_rate", "grad_norm") if key in logs}
        if known:
            self._note(state.global_step, known)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Flush; Ctrl-C ends the process again."""
        self._events.close()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, step: int, values: dict[str, float]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        for name, value in values.items():
            self._events.add_scalar(name, value, step)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupted = True


class Blocks(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """Blocks of a token stream, each its own input and label."""

    def __init__(self, stream: torch.Tensor, blocks: list[tuple[int, int]]) -> None:
        self._stream, self._blocks = stream, blocks

    def __len__(self) -> int:
        return len(self._blocks)

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        start, end = self._blocks[number]
        ids = self._stream[start:end].clone()
        return {"input_ids": ids, "labels": ids}
