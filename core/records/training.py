"""training_logs/: training.json (what a training did) and metrics.jsonl (its losses, step by step)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from core.errors import UserError
from core.records.json_files import read_record

SUMMARY, METRICS = "training.json", "metrics.jsonl"
VALIDATION_LOSS = "val_loss"
SCHEMA = "1.0"


class MemoryReport(msgspec.Struct, kw_only=True):
    """The shape of a training, the memory planned for it, and what a probe measured; sizes in bytes."""

    micro_batch: int = 1
    """Examples in one forward pass."""
    accumulation: int = 1
    """Forward passes per optimizer step."""
    width: int = 0
    """Tokens of an example."""
    planned: dict[str, int] = {}
    """Peak of a step by use; empty where memory was not planned."""
    planned_total: int = 0
    free: int = 0
    measured_peak: int = 0
    step_seconds: float = 0.0
    idle_seconds: float = 0.0
    """What the step takes while nothing else runs, by its processor time on each thread; on a GPU by the clock."""
    decisions: list[str] = []
    """Each reduction of batch or width, as a sentence."""


class Validation(msgspec.Struct, kw_only=True):
    """Loss on the validation blocks, in nats per token."""

    untuned: float
    best: float
    best_step: int


class Forgetting(msgspec.Struct, kw_only=True):
    """Bits per byte of text of an earlier model's test blocks, before and after training on; above 0 is forgotten."""

    before: float
    after: float
    forgotten: float
    tokens: int
    share_for_training_now: float
    """Share of these tokens that the training split holds by now."""


class TrainingSummary(msgspec.Struct, kw_only=True):
    """training.json."""

    schema_version: str = SCHEMA
    steps: int = 0
    planned_steps: int = 0
    blocks_used: int = 0
    blocks_available: int = 0
    coverage: float = 0.0
    """Share of the training split's blocks that were used."""
    trained_tokens: int = 0
    bound_by: str = ""
    """The setting that bounds the training."""
    max_train_tokens: int = 0
    """The setting, with "auto" resolved; 0 for no bound."""
    newest_weight: float = 1.0
    replayed_blocks: int = 0
    sequence_length: int = 0
    train_tokens: int = 0
    """Tokens of the training split."""
    precision: str = ""
    seconds: float = 0.0
    ended_by: str = ""
    memory: MemoryReport = msgspec.field(default_factory=MemoryReport)
    validation: Validation | None = None
    forgetting: Forgetting | None = None


def read_training(folder: Path) -> TrainingSummary:
    """training.json of a training_logs folder. Raises UserError where it is missing or damaged."""
    return read_record(folder / SUMMARY, TrainingSummary, SCHEMA, "train again: python pipeline.py")


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """All complete lines of a training_logs folder's metrics.jsonl; none where there is no file.

    Each has "step" and some of "loss", "learning_rate", "grad_norm", VALIDATION_LOSS; "loss" brings "learning_rate".
    Raises UserError on a line that holds something else.
    """
    path = folder / METRICS
    if not path.exists():
        return []
    entries = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            entry = json.loads(line)
        except ValueError:  # cut off by a kill
            break
        except RecursionError:
            entry = None
        if not _is_entry(entry):
            raise UserError(f"{path}, line {number}: no figures of a step", "train again: python pipeline.py")
        entries.append(entry)
    return entries


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or type(entry.get("step")) is not int:
        return False
    figures = [entry[name] for name in ("loss", "learning_rate", "grad_norm", VALIDATION_LOSS) if name in entry]
    return all(type(figure) in (int, float) for figure in figures) and ("loss" not in entry or "learning_rate" in entry)
