"""Words that mean a time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chat.times import is_time, time_of

NOW = datetime(2024, 5, 31, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("recently", "2024-05-01"),
        ("Yesterday", "2024-05-30"),
        ("last 2 weeks", "2024-05-17"),
        ("a few days ago".removeprefix("a "), "2024-05-28"),
        ("2023-01-02", "2023-01-02"),
        ("2023", "2023-01-01"),
    ],
)
def test_a_time_in_words(text: str, day: str) -> None:
    found = time_of(text, NOW)
    assert is_time(text)
    assert found
    assert f"{found:%Y-%m-%d}" == day


def test_a_version_is_no_time() -> None:
    assert not is_time("v2.0")
    assert time_of("v2.0", NOW) is None


def test_a_time_before_all_calendars_is_none() -> None:
    assert is_time("99999999999 years ago")
    assert time_of("99999999999 years ago", NOW) is None
