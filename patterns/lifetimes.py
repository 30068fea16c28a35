"""How long changes of source code keep most of their lines: what confidence is fitted to, and tested on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from patterns.ages import YEAR, Lives
from patterns.line_fates import LineFates
from patterns.purposes import MOST_LINES

DAY = 86_400
Numbers = NDArray[Any]


class YearLater(NamedTuple):
    """Changes that stood at a date: their ages in days, and which stood a year later."""

    ages: Numbers
    alive: Numbers


class Lifetimes:
    """Birth and end of each hunk of a walk, in seconds since 1970; steps of more than `MOST_LINES` lines are left out.

    A hunk ends where less than half of its lines are left.
    """

    def __init__(self, fates: LineFates) -> None:
        lives = Lives(fates)
        small = np.bincount(lives.steps, minlength=len(fates.commits))[lives.steps] <= MOST_LINES
        hunks, born, ended = lives.hunks[small], lives.born[small], lives.ended[small]
        order = np.lexsort((ended, hunks))
        _, first, count = np.unique(hunks[order], return_index=True, return_counts=True)
        self.born = born[order][first]
        self.ended = ended[order][first + count // 2]
        self.until = lives.until

    def year_later(self, at: int) -> YearLater:
        """Those that stood at a date, in seconds since 1970, and a year later."""
        there = (self.born <= at) & (self.ended > at)
        return YearLater((at - self.born[there]) / DAY, self.ended[there] > at + YEAR * DAY)
