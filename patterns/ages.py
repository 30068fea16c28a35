"""How long lines live: of those that have lived so long, how many live another year."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.git.commands import decode
from core.records.patterns import SurvivalByAge, SurvivalSummary
from miners.signals.change_facts import is_source
from patterns.line_fates import LOST, LineFates

AGES = (0.0, 30.0, 91.0, 182.0, 365.0, 730.0, 1460.0, 2920.0)
"""Days."""
YEAR = 365.0
_DAY = 86_400
Numbers = NDArray[Any]


class Lives:
    """Birth and end of each line of source code that has a word, in seconds since 1970."""

    def __init__(self, fates: LineFates) -> None:
        """Raises ValueError for a walk without steps."""
        times = np.maximum.accumulate(np.array(fates.times, dtype=np.int64))  # clocks of committers differ
        ends = _ends(np.array(fates.fates, dtype=np.int64))
        steps, hunks = _births(fates)
        source = np.array([is_source(decode(path)[0]) for path in fates.paths], dtype=bool)
        kept = np.array(fates.words, dtype=np.int64) != 0
        if len(fates.paths):
            kept &= source[np.array(fates.hunk_paths, dtype=np.int64)[hunks]]
        kept &= ~_continues(fates) & (ends != LOST)
        self.until = int(times[-1])
        self.steps = steps[kept]
        self.hunks = hunks[kept]
        self.born = times[self.steps]
        self.ended = np.where(ends[kept] < 0, np.iinfo(np.int64).max, times[ends[kept]])
        self.tested = np.array(fates.tested, dtype=bool)[self.steps]

    def by_age(self, chosen: Numbers | None = None) -> list[SurvivalByAge]:
        """For each of `AGES`, the lines that lived so long, a year or more ago, and those that lived another year."""
        born, ended = (one if chosen is None else one[chosen] for one in (self.born, self.ended))
        found = []
        for days in AGES:
            at = born + int(days * _DAY)
            later = at + int(YEAR * _DAY)
            there = (ended > at) & (later <= self.until)
            found.append(
                SurvivalByAge(from_days=days, lines=int(there.sum()), alive=int((there & (ended > later)).sum()))
            )
        return found


def summary(fates: LineFates, repository: str) -> SurvivalSummary:
    """The walk in figures."""
    lives = Lives(fates)
    unread = sum(lines is None for lines in fates.owners.values())
    left_out = {"binary": unread - len(fates.missing), "missing": len(fates.missing)}
    return SurvivalSummary(
        repository=repository,
        until=fates.commits[-1],
        steps=len(fates.commits),
        files=len(fates.owners) - unread,
        left_out={reason: count for reason, count in left_out.items() if count},
        by_age=lives.by_age(),
        with_test=lives.by_age(lives.tested),
        without_test=lives.by_age(~lives.tested),
    )


def _ends(fates: Numbers) -> Numbers:
    """The step (from 0) that ended each line, -1 where it stands, LOST where it is lost, with moves followed."""
    while (moved := fates > 0).any():
        fates = np.where(moved, fates[np.where(moved, fates, 0)], fates)
    return np.where(fates == LOST, LOST, np.where(fates < 0, -fates - 1, -1))


def _births(fates: LineFates) -> tuple[Numbers, Numbers]:
    """The step and the hunk of each line."""
    lines = np.arange(len(fates.fates))
    hunks = np.searchsorted(np.array(fates.hunk_ids, dtype=np.int64), lines, side="right") - 1
    return np.searchsorted(np.array(fates.first_hunks, dtype=np.int64), hunks, side="right") - 1, hunks


def _continues(fates: LineFates) -> Numbers:
    """True for lines that others go on as."""
    found = np.zeros(len(fates.fates), dtype=bool)
    numbers = np.array(fates.fates, dtype=np.int64)
    found[numbers[numbers > 0]] = True
    return found
