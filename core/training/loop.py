"""The training loop: transformers' Trainer, with our examples, our monitor, and a probe of its worst step."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from core import process
from core.logs import log
from core.process import peak_memory_mb
from core.progress import Progress
from core.training.examples import Chosen, Collator
from core.training.logs import METRICS, VALIDATION_LOSS, read_metrics
from core.training.memory import Measured, Shape
from core.training.monitor import TrainingMonitor

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PROBE_STEPS = 2
"""The first step of a process is slower than those that follow, of which the last is timed."""


@dataclass(frozen=True)
class Rules:
    """When a training is looked at and when it ends early; 0 turns each off."""

    checkpoint_steps: int
    patience: int
    most_minutes: float


def train(
    model: PreTrainedModel,
    examples: Chosen,
    validation: Chosen | None,
    arguments: TrainingArguments,
    rules: Rules,
    collator: Collator,
    logs: Path,
    checkpoint: Path | None,
) -> tuple[int, str]:
    """Train in place, and leave `model` as it was at its best validation, if there is one.

    Returns the steps that were taken, and what ended the training before its last one, or "". Raises
    KeyboardInterrupt after an interrupt, with a checkpoint saved.
    """
    main = process.is_main()
    with contextlib.ExitStack() as open_:
        bar = open_.enter_context(Progress("training", arguments.max_steps, "steps")) if main else None
        monitor = TrainingMonitor(
            logs,
            bar,
            checkpoint_steps=rules.checkpoint_steps,
            patience=rules.patience,
            most_minutes=rules.most_minutes,
            main=main,
        )
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=examples,
            eval_dataset=validation,
            data_collator=collator,
            callbacks=[monitor],
        )
        trainer.pop_callback(PrinterCallback)
        if checkpoint:
            log.info("going on from %s", checkpoint.name)
            monitor.begin(int(checkpoint.name.rpartition("-")[2]))
        else:
            monitor.begin(-1)
            if validation is not None:  # the untouched model, beside which all later ones stand
                trainer.evaluate()
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if monitor.interrupted:
        raise KeyboardInterrupt
    if main and (best := trainer.state.best_global_step):
        losses = [(e["step"], e[VALIDATION_LOSS]) for e in read_metrics(logs / METRICS) if VALIDATION_LOSS in e]
        untuned, kept = losses[0][1], dict(losses)[best]
        log.info("kept the model of step %s: validation loss %.3f, untuned %.3f", best, kept, untuned)
        if kept >= untuned:
            log.warning("the training has made the model no better: lower model_training.learning_rate")
    return trainer.state.global_step, monitor.ended_by


def probe(model: PreTrainedModel, shape: Shape, vocabulary_size: int, arguments: TrainingArguments) -> Measured:
    """Take full steps of the worst case at a learning rate of zero, which leaves every weight as it is.

    `arguments` are those of the training; rate, accumulation and saving are overruled. Raises
    torch.OutOfMemoryError where the card is too small.
    """
    arguments.learning_rate, arguments.gradient_accumulation_steps = 0.0, 1
    arguments.set_save("no")
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, vocabulary_size, (shape.micro_batch * PROBE_STEPS, shape.width), generator=generator)
    rows = [{"input_ids": row, "labels": row} for row in ids]
    marks: list[float] = []

    class Timed(Trainer):  # type: ignore[misc]
        def training_step(self, *given: Any, **named: Any) -> torch.Tensor:
            marks.append(time.monotonic())
            loss: torch.Tensor = super().training_step(*given, **named)
            return loss

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with torch.random.fork_rng():
        trainer = Timed(model=model, args=arguments, train_dataset=rows)
        trainer.pop_callback(PrinterCallback)
        trainer.train()
    model.zero_grad(set_to_none=True)
    marks.append(time.monotonic())
    peak = torch.cuda.max_memory_reserved() if torch.cuda.is_available() else int(peak_memory_mb() * 2**20)
    return Measured(peak, (marks[-1] - marks[-2]) * shape.accumulation)
