"""Files as a map: each a rectangle as large as it has lines, together with those of its folder. Places are percents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os.path import commonpath

import squarify

from thoughts.risk.known import KnownRisk

MOST_TILES = 300
"""Files of a map, the largest; smaller ones could not be seen."""
WIDTH, HEIGHT = 1000.0, 520.0
"""The shape that rectangles are made square for."""
LEVELS = (0.5, 0.75, 0.9, 0.97)
"""Shares of files that are less risky, from which on the next colour begins."""


@dataclass(frozen=True)
class Tile:
    """A file on the map."""

    file: KnownRisk
    name: str
    """Without its folders."""
    level: int
    """From 0 to 4, the riskiest."""
    x: float
    y: float
    width: float
    height: float


def treemap(files: Sequence[KnownRisk]) -> list[Tile]:
    """The largest files, those of one folder side by side."""
    largest = sorted(files, key=lambda one: (-one.lines, one.path))[:MOST_TILES]
    areas: dict[str, list[KnownRisk]] = {}
    skipped = len(_shared(largest))
    for one in largest:
        areas.setdefault(one.path[skipped:].partition("/")[0] if "/" in one.path[skipped:] else "", []).append(one)
    groups = sorted(areas.values(), key=lambda group: (-sum(map(_size, group)), group[0].path))
    found: list[Tile] = []
    for group, (x, y, width, height) in zip(
        groups, _places([sum(map(_size, group)) for group in groups], (0, 0, WIDTH, HEIGHT)), strict=True
    ):
        for one, place in zip(group, _places([_size(one) for one in group], (x, y, width, height)), strict=True):
            found.append(_tile(one, *place))
    return found


def level_of(above: float) -> int:
    """How many of the limits a share of files reaches."""
    return sum(above >= limit for limit in LEVELS)


def _places(
    sizes: Sequence[float], within: tuple[float, float, float, float]
) -> list[tuple[float, float, float, float]]:
    """Rectangles for sizes in falling order."""
    x, y, width, height = within
    made = squarify.squarify(squarify.normalize_sizes(sizes, width, height), x, y, width, height)
    return [(one["x"], one["y"], one["dx"], one["dy"]) for one in made]


def _tile(one: KnownRisk, x: float, y: float, width: float, height: float) -> Tile:
    across, down = 100 / WIDTH, 100 / HEIGHT
    place = (round(x * across, 3), round(y * down, 3), round(width * across, 3), round(height * down, 3))
    return Tile(one, one.path.rpartition("/")[2], level_of(one.above), *place)


def _size(one: KnownRisk) -> float:
    return float(max(one.lines, 1))


def _shared(files: Sequence[KnownRisk]) -> str:
    """The folders that all files are in, with the slash behind them."""
    folders = [one.path.rpartition("/")[0] for one in files]
    found = commonpath(folders) if folders and all(folders) else ""
    return f"{found}/" if found else ""
