"""The training loop: transformers' Trainer with our examples and our monitor, and a probe of its worst step."""

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
from core.records.training import VALIDATION_LOSS, Validation, read_metrics
from core.training.checkpoints import step_of
from core.training.examples import Chosen, Collator
from core.training.memory import Measured, Shape
from core.training.monitor import TrainingMonitor

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PROBE_STEPS = 2
"""The first step of a process is slower than the others, so only the last one is timed."""
COMPUTING = 2 / 3
"""Part of a step in which a thread computes, while nothing else runs; in the rest it waits for the others."""


@dataclass(frozen=True)
class Rules:
    """When checkpoints are saved, and when a training ends early; 0 turns each off."""

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
    """Train in place; afterwards `model` has the weights of its best validation, if there is one.

    Returns the number of steps taken, and what ended the training before the last planned one, or "". Raises
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
            log.info("resuming from %s", checkpoint.name)
            monitor.begin(step_of(checkpoint))
        else:
            monitor.begin(-1)
            if validation is not None:  # the untuned model, to compare all later ones with
                trainer.evaluate()
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if monitor.interrupted:
        raise KeyboardInterrupt
    if main and (best := trainer.state.best_global_step):
        report_best(best, validation_losses(logs))
    return trainer.state.global_step, monitor.ended_by


def report_best(step: int, losses: list[tuple[int, float]]) -> None:
    """Log which step's model was kept, and warn if it is not better than the untuned one."""
    untuned, kept = losses[0][1], dict(losses)[step]
    log.info("kept the model of step %s: validation loss %.3f, untuned %.3f", step, kept, untuned)
    if kept >= untuned:
        log.warning("training did not improve the model: lower model_training.learning_rate")


def validation_losses(logs: Path) -> list[tuple[int, float]]:
    """(step, loss in nats per token) of every validation so far; that of the untuned model comes first."""
    return [(one["step"], one[VALIDATION_LOSS]) for one in read_metrics(logs) if VALIDATION_LOSS in one]


def validation_of(logs: Path) -> Validation | None:
    """The untuned and the best validation loss; None where there was no validation."""
    losses = validation_losses(logs)
    if not losses:
        return None
    step, best = min(losses[1:] or losses, key=lambda point: point[1])
    return Validation(untuned=losses[0][1], best=best, best_step=step)


def probe(model: PreTrainedModel, shape: Shape, vocabulary_size: int, arguments: TrainingArguments) -> Measured:
    """Take full steps of the worst case at a learning rate of zero, which leaves every weight as it is.

    `arguments` are those of the training; rate, accumulation and saving are overruled. Raises torch.OutOfMemoryError
    where the GPU is too small.
    """
    arguments.learning_rate, arguments.gradient_accumulation_steps = 0.0, 1
    arguments.set_save("no")
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, vocabulary_size, (shape.micro_batch * PROBE_STEPS, shape.width), generator=generator)
    rows = [{"input_ids": row, "labels": row} for row in ids]
    marks: list[tuple[float, float]] = []  # wall and processor time

    class Timed(Trainer):  # type: ignore[misc]
        def training_step(self, *given: Any, **named: Any) -> torch.Tensor:
            marks.append((time.monotonic(), time.process_time()))
            loss: torch.Tensor = super().training_step(*given, **named)
            return loss

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with torch.random.fork_rng():
        trainer = Timed(model=model, args=arguments, train_dataset=rows)
        trainer.pop_callback(PrinterCallback)
        trainer.train()
    model.zero_grad(set_to_none=True)
    marks.append((time.monotonic(), time.process_time()))
    peak = torch.cuda.max_memory_reserved() if torch.cuda.is_available() else int(peak_memory_mb() * 2**20)
    wall, used = (after - before for before, after in zip(marks[-2], marks[-1], strict=True))
    idle = wall if torch.cuda.is_available() else min(used / torch.get_num_threads() / COMPUTING, wall)
    return Measured(peak, wall * shape.accumulation, idle * shape.accumulation)
