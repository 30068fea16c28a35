"""How long a change's lines have stood, as a bar with a scale; places are percents of its width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

YEAR = 365.25
LEFT, WIDTH = 2.0, 92.0
"""Where the bar begins, and how much of the picture the longest one takes."""
MOST_TICKS = 5
LEAST_DAYS = 7.0
_STEPS = (
    *((float(days), days, "day") for days in (1, 7)),
    *((YEAR / 12 * months, months, "month") for months in (1, 3, 6)),
    *((YEAR * years, years, "year") for years in (1, 2, 5, 10, 50, 100, 1000)),
)


@dataclass(frozen=True)
class Tick:
    """A mark on the scale."""

    at: float
    name: str


@dataclass(frozen=True)
class Timeline:
    """The bar."""

    end: float
    width: float
    ended: bool
    """Whether most lines are gone; otherwise nobody has looked for longer."""
    ticks: list[Tick]


def timeline(survival: Mapping[str, Any]) -> Timeline:
    """Of a pattern's survival."""
    days = float(survival["days"])
    scale = max(days, LEAST_DAYS)
    length, number, unit = next((step for step in _STEPS if scale / step[0] <= MOST_TICKS), _STEPS[-1])
    ticks = []
    for at in range(1, int(min(scale // length, MOST_TICKS)) + 1):
        count = at * number
        ticks.append(Tick(_place(at * length, scale), f"{count:,} {unit}{'s' if count != 1 else ''}"))
    width = WIDTH * days / scale
    return Timeline(round(LEFT + width, 2), round(width, 2), bool(survival["ended_by"]), ticks)


def _place(days: float, scale: float) -> float:
    return round(LEFT + WIDTH * days / scale, 2)
