"""chunking_stats.json and dataset_stats.json: what later stages read of them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.records import SCHEMA_VERSION
from core.records.commits import DateRange
from core.records.json_files import read_record

DATASET_SCHEMA = "2.0"


class ChunkingStats(msgspec.Struct, kw_only=True):
    """How many chunks there are, by what they are."""

    total_chunks: int
    chunks_per_commit: float
    languages: dict[str, int]
    change_types: dict[str, int]
    symbol_kinds: dict[str, int]
    dropped: dict[str, int]
    """File changes that were left out, by reason."""


class SplitData(msgspec.Struct, kw_only=True):
    """Which part of the history a split is."""

    commits: int
    tokens: int
    date_range: DateRange
    first_commit: str
    last_commit: str


class SplitStats(SplitData, kw_only=True):
    """A split, and what it leaves out."""

    chunks_left_out: int


class Baseline(msgspec.Struct, kw_only=True):
    """How well a simple model predicts a split."""

    bits_per_byte: float


class LeakageCheck(msgspec.Struct, kw_only=True):
    """A check that the written files have passed."""

    check: str


class DatasetStats(msgspec.Struct, kw_only=True):
    """How large the splits are, and what a model must beat."""

    total_tokens: int
    splits: dict[str, SplitStats]
    baselines: dict[str, dict[str, Baseline]]
    """By split, then by model."""
    leakage_checks: list[LeakageCheck]


def read_chunking_stats(path: Path) -> ChunkingStats:
    """chunking_stats.json. Raises UserError where it is missing, damaged, or of another major version."""
    hint = "make it again: python pipeline.py --stage semantic_chunker --force"
    return read_record(path, ChunkingStats, SCHEMA_VERSION, hint)


def read_dataset_stats(path: Path) -> DatasetStats:
    """dataset_stats.json. Raises UserError where it is missing, damaged, or of another major version."""
    return read_record(
        path, DatasetStats, DATASET_SCHEMA, "make it again: python pipeline.py --stage dataset_builder --force"
    )
