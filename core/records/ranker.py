"""ranker.json: weights of the ranking of files, by the form of the question, with what they were made from."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from core.errors import UserError
from core.records.json_files import read_record, write_record

SCHEMA = "1.0"
_HINT = "make it again: python pipeline.py --stage change_ranker"


class ModeWeights(msgspec.Struct, kw_only=True):
    """Weights for one form of a question."""

    weights: dict[str, float]
    """By feature."""
    calibration: list[float] = []
    """Constant and weights of the logistic function that makes a probability of a share."""
    examples: int = 0
    """Questions that they were learned from."""
    figures: dict[str, float] = {}
    """How good they are on questions that were held out."""


class RankerRecord(msgspec.Struct, kw_only=True):
    """Weights by the form of the question: task, issue, history, change, change_task."""

    schema_version: str = SCHEMA
    made_from: list[str] = []
    """Repositories whose history they were learned from."""
    first_commits: list[str] = []
    """First commits of their main lines: a repository by any name is known by it."""
    modes: dict[str, ModeWeights] = {}
    gate: list[str] = []
    """For each form, why the repository's own weights are used, or are not."""


def read_ranker(path: Path) -> RankerRecord:
    """Weights in a file. Raises UserError where it is missing, damaged, or of another major version."""
    record = read_record(path, RankerRecord, SCHEMA, _HINT)
    for mode, found in record.modes.items():
        if not all(map(math.isfinite, (*found.weights.values(), *found.calibration))):
            raise UserError(f"{path} is damaged: a weight of '{mode}' is not a finite number", _HINT)
    return record


def write_ranker(path: Path, record: RankerRecord) -> None:
    """Write weights."""
    write_record(path, record)
