"""Packed blocks: every token is asked for exactly once, and the commits' boundaries are right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dataset.blocks import Packed, tables, write


def packed(sizes: list[int], weights: list[float] | None = None) -> Packed:
    stream = np.arange(sum(sizes), dtype=np.int32)
    starts = np.cumsum([0, *sizes[:-1]]).astype(np.int64) if sizes else np.empty(0, np.int64)
    return Packed(stream, starts, np.array(weights or [1.0] * len(sizes)))


def rows(made: Packed, block: int, at_once: int = 1000) -> list[dict[str, Any]]:
    return [row for table in tables(made, block, at_once) for row in table.to_pylist()]


@settings(max_examples=200)
@given(st.lists(st.integers(1, 30), max_size=12), st.integers(2, 40), st.sampled_from([1, 3, 1000]))
def test_each_token_is_asked_for_once(sizes: list[int], block: int, at_once: int) -> None:
    made = rows(packed(sizes), block, at_once)
    asked = [int(id_) for row in made for id_ in row["input_ids"][1:]]
    assert asked == list(range(1, sum(sizes)))
    assert all(2 <= len(row["input_ids"]) <= block for row in made)
    assert all(len(row["input_ids"]) == block for row in made[:-1])
    edges = set(np.cumsum(sizes).tolist())
    for row in made:
        assert row["first_token"] == row["input_ids"][0]
        cuts = row["first_token"] + np.cumsum(row["seq_lengths"])
        last = row["first_token"] + len(row["input_ids"])
        assert cuts.tolist() == [*sorted(e for e in edges if row["first_token"] < e < last), last]


def test_blocks_are_taken_as_often_as_their_commits_weigh() -> None:
    sizes, weights = [100, 100, 100], [1.0, 0.5, 2.0]
    firsts = [row["first_token"] for row in rows(packed(sizes, weights), 11)]
    taken = [sum(low <= first < low + 100 for first in firsts) for low in (0, 100, 200)]
    assert taken == [10, 5, 20]
    assert firsts[:16] == sorted(firsts[:16])
    assert [row["first_token"] for row in rows(packed(sizes, [0, 0, 0]), 11)] == []


def test_the_folder_loads_and_is_the_same_each_time(tmp_path: Path) -> None:
    from datasets import load_from_disk

    for name in ("a", "b"):
        (tmp_path / f"{name}-scratch").mkdir()
        splits = {"train": packed([30, 5, 40]), "val": packed([3]), "test": packed([1])}
        counts = write(tmp_path / name, tmp_path / f"{name}-scratch", splits, 16)
        assert counts == {"train": 5, "val": 1, "test": 0}
    loaded = load_from_disk(str(tmp_path / "a"))
    assert set(loaded) == {"train", "val"}
    assert loaded["train"][0]["input_ids"] == list(range(16))
    assert loaded["train"][1]["seq_lengths"] == [15, 1]
    assert loaded["train"].features["input_ids"].feature.dtype == "int32"
    for file in (tmp_path / "a").rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()


@pytest.mark.parametrize("block", [2, 3])
def test_the_smallest_blocks(block: int) -> None:
    assert len(rows(packed([7]), block)) == (6 if block == 2 else 3)
