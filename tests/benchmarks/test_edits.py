"""Edits of several repositories put together."""

from __future__ import annotations

import pytest

from benchmarks.edits import in_words, print_bits, saved
from core.records.evaluation import ByCommit


def repository(tuned: float, copy: float) -> ByCommit:
    return ByCommit(
        added_bytes=[10, 30] * 10,
        bits={"copy": [copy, copy * 3] * 10, "fine-tuned + cache": [tuned, tuned * 3] * 10, "xz": [1.0] * 20},
    )


def test_commits_are_drawn_within_each_repository() -> None:
    share, low, high = saved([repository(8.0, 10.0), repository(16.0, 20.0)], "fine-tuned + cache", "copy", 200)
    assert (share, low, high) == pytest.approx((0.2, 0.2, 0.2))  # each commit saves a fifth, whichever are drawn
    assert in_words(share, low, high) == "20.0% [20.0%, 20.0%]"
    mixed = [repository(5.0, 10.0), repository(12.0, 10.0)]
    share, low, high = saved(mixed, "fine-tuned + cache", "copy", 200)
    assert share == pytest.approx(0.15)
    assert low < share < high


def test_the_table_pools_by_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    other = repository(16.0, 20.0)
    del other.bits["xz"]
    print_bits({"one": repository(8.0, 10.0), "two": other}, 50)
    _, _, copy, mixed = capsys.readouterr().out.splitlines()
    assert copy == "| copy | 1.000 | 2.000 | 1.500 | 20.0% [20.0%, 20.0%] |"
    assert mixed == "| fine-tuned + cache | 0.800 | 1.600 | 1.200 |  |"
