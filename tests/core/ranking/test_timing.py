"""The range of the time to the next commit."""

from __future__ import annotations

from collections.abc import Callable

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
