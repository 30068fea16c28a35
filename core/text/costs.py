"""What a history costs, known before it is paid: disk by the layout of the files, the rest as measured.

The figures are in docs/data.md; `python -m benchmarks.long_histories` measures them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from core.errors import StageError

PEAK_MB = 700
"""Memory of either stage, however long the history is."""
DATASET_SECONDS = 1.2e-6
"""Of dataset_builder for a token, on one processor."""
TOKENS_DISK, DATASET_DISK = 10, 16
"""Bytes for a token: of tokens.pt and what it is written from; of training_data files, dataset/ and probabilities."""


def outlook(tokens: int, seconds: float) -> str:
    """A sentence about what is to come, from an estimate of the tokens and of the time that the tokenizer takes."""
    disk = tokens * (TOKENS_DISK + DATASET_DISK)
    return (
        f"about {_millions(tokens)} tokens: {seconds:,.0f} s here, then about {tokens * DATASET_SECONDS:,.0f} s in "
        f"dataset_builder, each within {PEAK_MB} MB of memory; {disk / 1e9:,.1f} GB of disk for both"
    )


def check_disk(folder: Path, tokens: int, bytes_a_token: int) -> None:
    """Raise StageError where the disk of a folder has no room for what is to be written."""
    needed, free = tokens * bytes_a_token, shutil.disk_usage(folder).free
    if needed > free:
        raise StageError(
            f"about {_millions(tokens)} tokens need {needed / 1e9:,.1f} GB of disk, {free / 1e9:,.1f} GB are free",
            "free some, or use a part of the history (git_scraper.since)",
        )


def _millions(tokens: int) -> str:
    return f"{tokens / 1e6:,.1f} million"
