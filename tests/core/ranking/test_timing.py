"""The range of the time to the next commit."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from builders import Repo

from core.ranking.features import Similar
from core.ranking.snapshot import Snapshot
from core.ranking.timing import when

Asked = Callable[[str, str], tuple[Snapshot, Similar]]


def test_the_range_is_that_of_the_last_gaps(asked: Asked, team: Repo) -> None:
    snapshot, _ = asked("main", "")
    found = when(snapshot.past)
    assert found
    assert (found.low, found.middle, found.high, found.gaps) == (3600, 3600, 3600, 35)
    assert found.coverage is None  # 15 gaps can be tried, which is too few
    later, _ = asked("side", "")
    known = when(later.past)
    assert known
    assert (known.gaps, known.middle) == (35, 3600)


def test_a_short_history_gives_no_range(asked: Asked) -> None:
    snapshot, _ = asked("main~20", "")
    assert when(snapshot.past) is None


def past(gaps: list[int]) -> Any:
    """A history with these seconds between its commits."""
    times = np.cumsum([0, *gaps])
    return SimpleNamespace(commits=SimpleNamespace(times=times), order=np.arange(len(times)))


def test_a_tenth_is_left_out_on_each_side() -> None:
    found = when(past(list(range(1, 102))))
    assert found
    assert (found.low, found.middle, found.high) == pytest.approx((11.9, 51.5, 91.1))
    assert found.coverage == 0  # each gap was longer than all before it


def test_the_coverage_is_how_often_a_range_held() -> None:
    found = when(past([*[5] * 18, 1, 1000] * 5))
    assert found
    assert found.coverage == pytest.approx(0.9)  # 1 and 1000 are outside of it
