"""The edits of a token stream that was written with `code_view: edit`, and what a model is shown before each.

An edit is the hunks of one change. What is known before it is shown: perhaps a past edit that is like it, the changes
that came just before, then the task (the head of the commit), the file, the symbol and its present code.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.text.grammar import (
    ADDED,
    BEFORE,
    CODE_END,
    CODE_START,
    COMMIT_START,
    FILE_START,
    HUNK_MARKERS,
    KEPT,
    REMOVED,
    Marker,
)
from core.text.stream import CHANGE_STARTS, positions

EDIT_SHARE = 0.5
"""Largest part of a model's width that an edit may take; the rest of a longer one is left out."""
CODE_SHARE = 0.75
"""Largest part of what is left that the present code may take; its last lines are shown."""
PAST_SHARE = 0.5
"""Largest part of what is left then that a past edit may take; its end is left out."""
LEAST_PAST = 16
"""Tokens of a past edit with its file and symbol; less says nothing."""
NO_PAST = np.empty(0, np.int64)
Past = Callable[[int], NDArray[np.int64]]
"""Gives the past edit to show before the edit at a position, as `as_past` makes it, or NO_PAST."""


@dataclass(frozen=True)
class Edit:
    """Where a change and what it belongs to are in a stream: (first, last + 1) of each."""

    commit: tuple[int, int]
    """The head of the commit."""
    file: tuple[int, int]
    """The head of the file."""
    about: tuple[int, int]
    """Type, kind and name, up to <CODE_START>."""
    code: tuple[int, int]
    """<BEFORE> and the present code; empty for a new symbol."""
    hunks: tuple[int, int]
    """The edit with its <CODE_END>."""


def edits(ids: NDArray[Any], markers: Mapping[str, int]) -> list[Edit]:
    """The edits of a stream (ids, 1-D) that add something, or remove a part; a symbol that is removed has none."""
    names = {markers[name]: name for name in (COMMIT_START, FILE_START, CODE_START, BEFORE, *HUNK_MARKERS, CODE_END)}
    at = positions(ids, markers, *CHANGE_STARTS, *names.values())
    found: list[Edit] = []
    commit = file = (-1, -1)
    about = (-1, -1)
    parts: list[tuple[Marker, int]] = []
    for place, id_ in zip(at.tolist(), ids[at].tolist(), strict=True):
        name = names.get(id_)
        if name == COMMIT_START:
            commit, file = (place, -1), (-1, -1)
        elif name == FILE_START:
            commit = (commit[0], place) if commit[1] < 0 else commit
            file = (place, -1)
        elif name is None:  # a change
            file = (file[0], place) if file[1] < 0 else file
            about = (place, -1)
        elif name == CODE_START:
            about, parts = (about[0], place + 1), []
        elif name != CODE_END:
            parts.append((name, place))
        elif commit[0] >= 0 and not _removes_all(parts, place):
            hunk = next((start for part, start in parts if part != BEFORE), place)
            if hunk < place:
                found.append(Edit(commit, file, about, (about[1], hunk), (hunk, place + 1)))
    return found


def spread(found: Sequence[Edit], wanted: int) -> list[Edit]:
    """At most `wanted` edits, from as many commits as can be, which lie evenly over all; in their order."""
    groups = [list(group) for _, group in itertools.groupby(found, key=lambda edit: edit.commit[0])]
    chosen: list[Edit] = []
    for number in range(max(map(len, groups), default=0)):
        # One of each commit that has so many, beginning in its middle.
        some = [group[(len(group) // 2 + number) % len(group)] for group in groups if number < len(group)]
        count = min(wanted - len(chosen), len(some))
        chosen += [some[(2 * place + 1) * len(some) // (2 * count)] for place in range(count)]
    return sorted(chosen, key=lambda edit: edit.hunks)


def shown(
    ids: NDArray[Any], edit: Edit, width: int, *past: NDArray[np.int64]
) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """(what stands before an edit, first and last + 1 of its tokens) so that both fit into `width`.

    A head that is too long gives way to what follows it. The place that is left is for `past`, edits as `as_past`
    makes them, of which each may take its share of what those before it left, and for the tokens before the change.
    """
    first, last = edit.hunks[0], min(edit.hunks[1], edit.hunks[0] + max(int(width * EDIT_SHARE), 1))
    room = width - (last - first)
    code = _newest(edit.code, max(int(room * CODE_SHARE), 1))
    about = _newest(edit.about, room - _length(code))
    left, end = room - _length(code, about), edit.about[0]
    cut: list[NDArray[np.int64]] = []
    for one in past:
        cut.append(_cut(one, int((left - _length(edit.commit, edit.file)) * PAST_SHARE)))
        left -= len(cut[-1])
    if end - left <= edit.commit[0]:  # the heads are among the tokens before
        parts = [(max(end - left, 0), end), about, code]
    else:
        head = _newest(edit.commit, left)
        file = _newest(edit.file, left - _length(head))
        left -= _length(head, file)
        end = edit.file[0] if edit.file[1] == end else end  # so that the head of the file does not come twice
        parts = [(end - left, end), head, file, about, code]
    return np.concatenate([*cut, *(ids[start:end] for start, end in parts)]).astype(np.int64), (first, last)


def as_past(ids: NDArray[Any], edit: Edit) -> NDArray[np.int64]:
    """An edit as it is shown before another one: its file, its symbol and its hunks, without the present code."""
    return np.concatenate([ids[slice(*span)] for span in (edit.file, edit.about, edit.hunks)]).astype(np.int64)


def behind(past: Past, first: int) -> Past:
    """The same for positions that are counted from `first` on."""
    return lambda position: past(first + position)


def added(ids: NDArray[Any], markers: Mapping[str, int]) -> NDArray[np.bool_]:
    """For each token of a stream whether it is text that an edit adds."""
    starts, ends = positions(ids, markers, ADDED), positions(ids, markers, KEPT, REMOVED, CODE_END)
    # +1 behind each start and -1 at the next end.
    marks = np.zeros(len(ids) + 1, np.int8)
    marks[starts + 1] = 1
    following = np.append(ends, len(ids))[np.searchsorted(ends, starts)]
    marks[following] -= 1
    return np.cumsum(marks[:-1]) > 0


def _cut(past: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many tokens of a past edit, ended by its <CODE_END>."""
    if len(past) <= most:
        return past
    return np.concatenate([past[: most - 1], past[-1:]]) if most >= LEAST_PAST else past[:0]


def _newest(span: tuple[int, int], most: int) -> tuple[int, int]:
    return max(span[0], span[1] - max(most, 0)), span[1]


def _length(*spans: tuple[int, int]) -> int:
    return sum(end - start for start, end in spans)


def _removes_all(parts: list[tuple[Marker, int]], end: int) -> bool:
    """Whether an edit consists of one hunk that only removes, and as much as there is."""
    if [name for name, _ in parts] != [BEFORE, REMOVED]:
        return False
    (_, before), (_, removed) = parts
    return removed - before == end - removed
