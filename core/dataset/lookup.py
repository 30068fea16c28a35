"""Looking up numbers in sorted arrays: what dicts and sets do in ten times the memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def find(ordered: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.int64]:
    """Where each of `wanted` stands in `ordered`, which ascends; -1 where it does not."""
    if not len(ordered):
        return np.full(len(wanted), -1, np.int64)
    place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.where(ordered[place] == wanted, place, -1)


Counts = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Different numbers, ascending, and how often each occurs."""


def counted(numbers: NDArray[np.int64]) -> Counts:
    """How often each number occurs; sorts `numbers` in place."""
    numbers.sort()
    starts = _firsts(numbers)
    return numbers[starts], np.diff(starts, append=len(numbers))


def added(some: Counts, more: Counts) -> Counts:
    """The counts of both."""
    if not len(some[0]):
        return more
    numbers, times = (np.concatenate(pair) for pair in zip(some, more, strict=True))
    order = np.argsort(numbers, kind="stable")
    numbers = numbers[order]
    starts = _firsts(numbers)
    return numbers[starts], np.add.reduceat(times[order], starts)


def _firsts(ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each number stands for the first time."""
    return np.flatnonzero(np.concatenate([np.ones(min(len(ordered), 1), np.bool_), ordered[1:] != ordered[:-1]]))
