"""Times as questions have them: yesterday, last week, 3 months ago, 2024-05."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

RECENT = timedelta(days=30)
_RECENTLY = ("recently", "recent", "lately", "recent changes", "")
_UNITS = {"day": 1, "week": 7, "month": 30, "year": 365}
_SPAN = re.compile(
    r"(?:(?:last|past|this|previous)\s+)?(?:(?P<count>\d+|few|couple of)\s+)?(?P<unit>day|week|month|year)s?(?:\s+ago)?"
)
_DATES = ("%Y-%m-%d", "%Y-%m", "%Y")


def is_time(text: str) -> bool:
    """Whether a text means a time, rather than a version, a branch or a commit."""
    low = text.lower()
    return low in (*_RECENTLY, "today", "yesterday") or bool(_SPAN.fullmatch(low)) or _date(text) is not None


def time_of(text: str, now: datetime) -> datetime | None:
    """When that was, as seen from `now`; None where it is before all calendars, or no time."""
    low = text.lower()
    if low in _RECENTLY:
        return now - RECENT
    if low in ("today", "yesterday"):
        return (now - timedelta(days=low == "yesterday")).replace(hour=0, minute=0, second=0)
    if not (span := _SPAN.fullmatch(low)):
        return _date(text)
    count = {"few": 3, "couple of": 2, None: 1}.get(span["count"]) or int(span["count"])
    try:
        return now - timedelta(days=count * _UNITS[span["unit"]])
    except OverflowError:
        return None


def _date(text: str) -> datetime | None:
    for form in _DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
