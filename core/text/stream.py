"""The one place that finds commits, files, changes and code in a stream of token ids: by their markers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.text.grammar import CHANGE, CHANGES, CODE_END, CODE_START, COMMIT_START, FILE_START, MASKS, Marker

if TYPE_CHECKING:
    from core.text.vocabulary import Vocabulary

Positions = NDArray[np.int64]
Range = tuple[int, int]
"""First and last + 1 of a run of tokens."""


class Tokens(Protocol):
    """A 1-D stream of token ids, in memory (an array) or in a file (`core.text.mapped`)."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> NDArray[Any]:
        """Some of them."""


CHANGE_STARTS: tuple[Marker, ...] = (CHANGE, *CHANGES.values())
"""What begins a change: the marker of its type, or the one in front of a type that has none."""
_BLOCK = 1 << 22
"""Tokens that are compared at once, which bounds the memory that this takes on top of the stream."""


def positions(ids: Tokens, markers: Mapping[str, int], *wanted: Marker) -> Positions:
    """Where any of the markers is in a 1-D stream, ascending; `markers` are their ids."""
    values = [markers[marker] for marker in wanted]
    parts = [
        np.flatnonzero(np.isin(ids[start : start + _BLOCK], values)) + start for start in range(0, len(ids), _BLOCK)
    ]
    return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, np.int64)


def commit_starts(ids: Tokens, markers: Mapping[str, int]) -> Positions:
    """Where commits begin."""
    return positions(ids, markers, COMMIT_START)


def code_bounds(ids: Tokens, markers: Mapping[str, int]) -> tuple[Positions, Positions]:
    """Where the code of each change begins and ends: between <CODE_START> and <CODE_END>, or up to the stream's end."""
    starts, ends = (positions(ids, markers, marker) for marker in (CODE_START, CODE_END))
    return starts + 1, np.append(ends, len(ids))[np.searchsorted(ends, starts)]


def codes(ids: Tokens, markers: Mapping[str, int]) -> list[Range]:
    """The code of each change, as `code_bounds` finds it."""
    starts, ends = code_bounds(ids, markers)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def in_code(ids: Tokens, markers: Mapping[str, int], at: Positions) -> NDArray[np.bool_]:
    """For each position whether it is behind a <CODE_START> and not behind its <CODE_END>."""
    starts, ends = (positions(ids, markers, marker) for marker in (CODE_START, CODE_END))
    inside: NDArray[np.bool_] = np.searchsorted(starts, at) > np.searchsorted(ends, at)
    return inside


def first_in_each(
    ids: Tokens, offsets: Positions, markers: Mapping[str, int], *wanted: Marker, after: int = 0
) -> Positions:
    """For each sequence `ids[offsets[i]:offsets[i + 1]]` its first such marker, plus `after`; -1 where it has none."""
    found = np.full(len(offsets) - 1, -1, np.int64)
    at = positions(ids, markers, *wanted)
    owners, first = np.unique(np.searchsorted(offsets, at, side="right") - 1, return_index=True)
    found[owners] = at[first] + after
    return found


@dataclass
class StreamCommit:
    """A commit in a stream: where it starts, where its head ends, what it changes."""

    start: int
    head_end: int = 0
    codes: list[Range] = field(default_factory=list)
    """The code of each change."""
    changes: list[tuple[str, str]] = field(default_factory=list)
    """Path and change type of each change."""

    @property
    def files(self) -> list[str]:
        """The paths that it changes, each once, in its order."""
        return list(dict.fromkeys(path for path, _ in self.changes))


def commits_in(ids: NDArray[Any], vocabulary: Vocabulary) -> list[StreamCommit]:
    """The commits of a stream that starts and ends between commits."""
    names = {id_: marker for marker, id_ in vocabulary.markers.items() if marker not in MASKS}
    at = np.flatnonzero(np.isin(ids, list(names)))
    types = {str(marker): name for name, marker in CHANGES.items()}
    found: list[StreamCommit] = []
    path = ""
    ends = np.append(at, len(ids))[1:]
    for position, end, id_ in zip(at.tolist(), ends.tolist(), ids[at].tolist(), strict=True):
        marker = names[id_]
        if marker == COMMIT_START:
            found.append(StreamCommit(position))
        elif marker == FILE_START:
            found[-1].head_end = found[-1].head_end or position
            path = vocabulary.decode(ids[position + 1 : end].tolist())
        elif marker == CHANGE:  # a type without a marker of its own is written out behind this one
            found[-1].changes.append((path, vocabulary.decode(ids[position + 1 : end].tolist())))
        elif marker in types:
            found[-1].changes.append((path, types[marker]))
        elif marker == CODE_START:
            found[-1].codes.append((position + 1, len(ids)))
        elif marker == CODE_END:
            found[-1].codes[-1] = (found[-1].codes[-1][0], position)
    return found
