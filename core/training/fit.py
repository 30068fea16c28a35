"""Fitting a training to the machine: memory planned by formula and probed by a worst-case step, threads, disk."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core import process
from core.errors import StageError
from core.logs import log
from core.models import base_models
from core.records.json_files import read_record, write_record
from core.records.training import SCHEMA, MemoryReport
from core.training import memory
from core.training.arguments import Optimization, training_arguments
from core.training.memory import GIB, Measured, Shape

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MEMORY = "memory.json"
SMALL_MODEL = 20_000_000
"""Weights below which a second thread costs more than it gains: threads wait for each other after every operation."""


@dataclass(frozen=True)
class MemoryLimits:
    """How a training is held to the memory that there is."""

    fit: bool
    """False takes the requested shape as it is."""
    limit_gib: float
    """Upper bound on the memory to use; 0 for what is free."""
    logit_tokens: int
    """Tokens whose logits are in memory at once; 0 for those of the whole batch."""


def kept_fit(
    model: PreTrainedModel, wanted: Shape, vocabulary_size: int, limits: MemoryLimits, how: Optimization, logs: Path
) -> MemoryReport:
    """The shape that fits, planned and measured; kept in `logs`, where a resumed run reads it."""
    path = logs / MEMORY
    if path.exists():
        return read_report(path)
    found = _report(wanted)
    if limits.fit:
        found = fit(model, wanted, vocabulary_size, limits, how, logs / "probe")
    if process.is_main():
        write_record(path, found)
    return found


def fit(
    model: PreTrainedModel, wanted: Shape, vocabulary_size: int, limits: MemoryLimits, how: Optimization, folder: Path
) -> MemoryReport:
    """The largest shape from `wanted` down that fits by plan and by probe, which may write to `folder`."""
    from transformers import set_seed

    from core.training import loop

    on_gpu, held = base_models.device() == "cuda", memory.held_bytes()
    sizes = memory.sizes_of(
        model,
        precision=how.precision,
        optimizer_bytes=how.optimizer_bytes,
        checkpointing=how.gradient_checkpointing,
        logit_tokens=limits.logit_tokens,
    )
    needs = functools.partial(memory.needed, sizes, on_gpu=on_gpu, libraries=max(held - sizes.weights_bytes, 0))
    free = memory.free_bytes(limits.limit_gib)
    log.info("%s", memory.sentence(wanted, needs(wanted), free))

    def probe(tried: Shape) -> Measured:
        return loop.probe(model, tried, vocabulary_size, training_arguments(folder, tried, how, steps=loop.PROBE_STEPS))

    shape, measured, decisions = shrink(wanted, needs, free, probe)
    set_seed(how.seed)  # the training draws the same numbers whatever was probed
    log.info("a worst-case step took %.2f s and %.2f GiB", measured.step_seconds, measured.peak / GIB)
    return _report(shape, needs(shape), free, measured, decisions)


def shrink(
    shape: Shape,
    needs: Callable[[Shape], dict[str, int]],
    free: int,
    probe: Callable[[Shape], Measured],
) -> tuple[Shape, Measured, list[str]]:
    """The first shape from `shape` down that fits by plan and by probe, what the probe measured, and each step down.

    Raises StageError where not even the smallest shape fits.
    """
    import torch

    decisions: list[str] = []
    while True:
        total = sum(needs(shape).values())
        try:
            if total <= free:
                return shape, probe(shape), decisions
            why = f"{shape} would need {total / GIB:.2f} GiB of the {free / GIB:.2f} GiB that are free"
        except torch.OutOfMemoryError:
            why = f"the GPU ran out of memory with {shape}"
        less = shape.smaller()
        if less is None:
            raise StageError(
                f"this model does not fit: {why}",
                "set a smaller model_training.base_model, method: qlora, or gradient_checkpointing: true",
            )
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        decisions.append(f"{why}: continuing with {less}")
        log.warning("%s", decisions[-1])
        shape = less


@contextmanager
def smaller_next_time(shape: Shape, logs: Path) -> Iterator[None]:
    """If memory runs out during training after all, the next run resumes with a smaller micro-batch.

    Raises StageError then.
    """
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        less = shape.smaller()
        if less is None or less.width != shape.width:  # checkpoints and plan are of this width
            hint = "lower model_training.sequence_length, or set gradient_checkpointing: true"
        else:
            found = read_report(logs / MEMORY) if (logs / MEMORY).exists() else MemoryReport()
            found.micro_batch, found.accumulation, found.width = less.micro_batch, less.accumulation, less.width
            found.decisions.append(f"the GPU ran out of memory during training with {shape}: continuing with {less}")
            write_record(logs / MEMORY, found)
            hint = f"run again: it resumes from the last checkpoint with {less}"
        raise StageError(f"the GPU ran out of memory: {str(error).split('.', maxsplit=1)[0]}", hint) from error


def fit_threads(model: PreTrainedModel) -> None:
    """Use one thread for a small model."""
    import torch

    if sum(value.numel() for value in model.parameters()) < SMALL_MODEL:
        torch.set_num_threads(1)


def check_disk(model: PreTrainedModel, folder: Path, *, checkpoints: int, whole: bool) -> None:
    """Raise StageError where checkpoints and model will not fit on the disk; a `whole` model keeps every weight."""
    needed = memory.disk_needed(model, checkpoints, whole=whole)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StageError(
            f"the training needs about {needed / GIB:.1f} GiB of disk, {free / GIB:.1f} GiB are free",
            "free some, or lower model_training.keep_checkpoints or lora_rank",
        )


def read_report(path: Path) -> MemoryReport:
    """memory.json. Raises UserError where it is damaged."""
    return read_record(path, MemoryReport, SCHEMA, "remove it and run again")


def _report(
    shape: Shape,
    needs: dict[str, int] | None = None,
    free: int = 0,
    measured: Measured | None = None,
    decisions: list[str] | None = None,
) -> MemoryReport:
    needs, measured = needs or {}, measured or Measured(0, 0.0, 0.0)
    return MemoryReport(
        micro_batch=shape.micro_batch,
        accumulation=shape.accumulation,
        width=shape.width,
        planned=needs,
        planned_total=sum(needs.values()),
        free=free,
        measured_peak=measured.peak,
        step_seconds=measured.step_seconds,
        idle_seconds=measured.idle_seconds,
        decisions=decisions or [],
    )
