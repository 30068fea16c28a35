"""Bars of how long lines have stood."""

from __future__ import annotations

import pytest

from services.web.timeline import LEFT, MOST_TICKS, WIDTH, timeline


@pytest.mark.parametrize(
    ("days", "ticks"),
    [
        (0, ["7 days"]),
        (5.5, ["7 days"]),
        (14, ["7 days", "14 days"]),
        (100, ["1 month", "2 months", "3 months"]),
        (400, ["3 months", "6 months", "9 months", "12 months"]),
        (366, ["3 months", "6 months", "9 months", "12 months"]),
        (2000, ["2 years", "4 years"]),
        (1e6, ["1,000 years", "2,000 years"]),
    ],
)
def test_a_scale_has_a_few_round_marks(days: float, ticks: list[str]) -> None:
    made = timeline({"days": days, "ended_by": ""})
    assert [tick.name for tick in made.ticks] == ticks
    assert len(ticks) <= MOST_TICKS
    assert all(LEFT < tick.at <= LEFT + WIDTH for tick in made.ticks)


def test_a_bar_ends_where_its_days_do() -> None:
    made = timeline({"days": 3.5, "ended_by": "b" * 40})
    assert (made.width, made.end, made.ended) == (WIDTH / 2, LEFT + WIDTH / 2, True)
    assert timeline({"days": 2000, "ended_by": ""}).end == LEFT + WIDTH
