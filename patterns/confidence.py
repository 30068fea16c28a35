"""How probable it is that most of a change's lines live another year: by their age alone.

What else was tried (size, tests, how often a file changes, a repository's own early rates) did not hold for later
changes. So it is calibrated, and hardly tells good changes from bad ones. The table is made again by
scripts/fit_confidence.py.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from pathlib import Path

import msgspec

from core.records.patterns import Survival

TABLE = Path(__file__).with_name("confidence.json")


class AgeBin(msgspec.Struct, frozen=True):
    """Changes that have lived so long, and how many of them lived another year."""

    from_days: float
    changes: int
    alive: int


class ConfidenceTable(msgspec.Struct, kw_only=True):
    """confidence.json."""

    repositories: list[str]
    """Those that it was fitted on, by name."""
    until: str
    """Nothing after this date was looked at; ISO 8601."""
    bins: list[AgeBin]
    """From the youngest."""

    def at(self, days: float) -> float:
        """The probability at an age."""
        number = bisect_right([one.from_days for one in self.bins], days) - 1
        one = self.bins[max(number, 0)]
        return round((one.alive + 1) / (one.changes + 2), 3)


@functools.cache
def shipped() -> ConfidenceTable:
    """The table that comes with Gitlore."""
    return msgspec.json.decode(TABLE.read_bytes(), type=ConfidenceTable)


def confidence_of(survival: Survival | None, table: ConfidenceTable) -> float:
    """0 to 1; 0 where most lines are gone, or never reached the main line."""
    if survival is None or survival.ended_by:
        return 0.0
    return table.at(survival.days)
