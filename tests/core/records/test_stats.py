"""Figures of earlier stages: what is written is read, what is damaged is a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.chunking.tally import ChunkTotals
from core.errors import UserError
from core.records.stats import read_chunking_stats, read_dataset_stats


def test_what_the_chunker_counts_is_read(tmp_path: Path) -> None:
    totals = ChunkTotals()
    totals.add({"chunks": 3, "languages/rust": 2, "languages/sql": 1, "dropped/binary": 4})
    (tmp_path / "stats.json").write_text(json.dumps(totals.as_dict()))
    found = read_chunking_stats(tmp_path / "stats.json")
    assert (found.total_chunks, found.chunks_per_commit, found.change_types) == (3, 3.0, {})


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", '{"total_chunks": "many"}', '{"total_tokens": null}'])
@pytest.mark.parametrize(
    ("read", "stage"), [(read_chunking_stats, "semantic_chunker"), (read_dataset_stats, "dataset_builder")]
)
def test_damaged_figures_are_an_error_that_names_their_stage(
    tmp_path: Path, read: Callable[[Path], msgspec.Struct], stage: str, text: str
) -> None:
    (tmp_path / "stats.json").write_text(text)
    with pytest.raises(UserError, match=r"stats\.json is damaged") as caught:
        read(tmp_path / "stats.json")
    assert f"--stage {stage}" in caught.value.hint
