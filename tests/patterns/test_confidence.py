"""The table of confidence, and what is read from it."""

from __future__ import annotations

import msgspec
import pytest

from core.records.patterns import Survival
from patterns.confidence import AgeBin, ConfidenceTable, confidence_of, shipped

TABLE = ConfidenceTable(repositories=[], until="", bins=[AgeBin(0.0, 8, 5), AgeBin(91.0, 98, 89)])


def lived(days: float, ended_by: str = "") -> Survival:
    return Survival(born="a", until="b", days=days, lines=2, alive=1, ended_by=ended_by)


@pytest.mark.parametrize(("days", "expected"), [(0.0, 0.6), (90.9, 0.6), (91.0, 0.9), (9999.0, 0.9)])
def test_age_alone_decides(days: float, expected: float) -> None:
    assert confidence_of(lived(days), TABLE) == expected


def test_what_is_gone_or_never_came_has_none() -> None:
    assert confidence_of(lived(5.0, ended_by="c"), TABLE) == 0
    assert confidence_of(None, TABLE) == 0


def test_the_shipped_table_is_sorted_and_possible() -> None:
    bins = shipped().bins
    assert bins[0].from_days == 0
    assert [one.from_days for one in bins] == sorted({one.from_days for one in bins})
    assert all(0 < one.alive < one.changes for one in bins)
    assert msgspec.json.encode(shipped())
