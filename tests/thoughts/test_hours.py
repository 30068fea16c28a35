"""Quiet hours and schedules follow the clock of the repository's zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core.errors import UserError
from thoughts.hours import Hours, next_time

BERLIN = "Europe/Berlin"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("quiet", "zone", "time", "until"),
    [
        ("", "UTC", "2026-06-01 12:00", None),
        ("08:00-18:00", "UTC", "2026-06-01 07:59", None),
        ("08:00-18:00", "UTC", "2026-06-01 08:00", "2026-06-01 18:00"),
        ("8:00 - 18:00", "UTC", "2026-06-01 18:00", None),
        ("22:00-06:00", "UTC", "2026-06-01 23:00", "2026-06-02 06:00"),
        ("22:00-06:00", "UTC", "2026-06-02 05:00", "2026-06-02 06:00"),
        ("22:00-06:00", "UTC", "2026-06-02 07:00", None),
        ("08:00-18:00", BERLIN, "2026-06-01 06:30", "2026-06-01 16:00"),
        ("08:00-18:00", BERLIN, "2026-12-01 06:30", None),
        ("22:00-06:00", BERLIN, "2026-03-28 22:00", "2026-03-29 04:00"),  # the night of an hour less
    ],
)
def test_quiet_hours(quiet: str, zone: str, time: str, until: str | None) -> None:
    assert Hours.of(quiet, zone).quiet_until(at(time)) == (at(until) if until else None)


@pytest.mark.parametrize(
    ("cron", "time", "expected"),
    [
        ("0 6 * * 1", "2026-11-29 20:00", "2026-11-30 05:00"),
        ("0 6 * * 1", "2026-11-30 05:00", "2026-12-07 05:00"),
        ("30 2 * * *", "2026-03-28 12:00", "2026-03-29 01:00"),  # half past two is skipped that night
    ],
)
def test_schedules(cron: str, time: str, expected: str) -> None:
    assert next_time(cron, at(time), ZoneInfo(BERLIN)) == at(expected)


@pytest.mark.parametrize("quiet", ["night", "8-18", "25:00-26:00", "08:00", "08:00-18:00-20:00"])
def test_what_are_no_hours_is_refused(quiet: str) -> None:
    with pytest.raises(UserError, match=f"'{quiet}' are no hours of a day"):
        Hours.of(quiet, "UTC")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(UserError, match="there is no time zone"):
        Hours.of("", zone)


@pytest.mark.parametrize("cron", ["tomorrow", "", "0 6 * *", "61 * * * *", "0 0 31 2 *"])
def test_what_is_no_cron_expression_is_refused(cron: str) -> None:
    with pytest.raises(UserError, match="is no cron expression"):
        next_time(cron, 0.0, ZoneInfo("UTC"))
