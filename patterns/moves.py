"""Lines that a commit removed and that are still there: moved, or formatted differently."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_IGNORED = b" \t\r\f\v\"'`,"
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]")
_LEAST_ACROSS_FILES = 8
"""Bytes of what is left of a line that is found again in another file: shorter ones are everywhere."""
_BEGINNING = 3
"""Bytes that the first lines of two runs must share to be compared."""
_MOST_AHEAD = 40
"""Added lines with that beginning that are compared."""


@dataclass(slots=True)
class ChangedLines:
    """A hunk: ids of its removed and its added lines, and what is left of their texts (`essence`)."""

    file: int
    removed: Sequence[int]
    removed_texts: Sequence[bytes]
    added: Sequence[int]
    added_texts: Sequence[bytes]


def essence(line: bytes) -> bytes:
    """A line without blanks, quotes and commas."""
    return line.translate(None, _IGNORED)


def has_word(text: bytes) -> bool:
    """Whether there is a letter or a digit in it."""
    return _WORD.search(text) is not None


def moved(hunks: Sequence[ChangedLines], *, across_files: bool = True) -> dict[int, int]:
    """By removed line of a commit, the added line that it goes on as.

    Within a file several lines may have become one, or one several, in their order. Else a line goes on as the first
    one with the same essence that is not taken: in its own file, then `across_files`; lines without a word do not.
    """
    found: dict[int, int] = {}
    for _, group in itertools.groupby(hunks, key=lambda hunk: hunk.file):
        of_file = list(group)
        removed = [pair for hunk in of_file for pair in zip(hunk.removed, hunk.removed_texts, strict=True)]
        added = [pair for hunk in of_file for pair in zip(hunk.added, hunk.added_texts, strict=True)]
        if removed and added:
            pairs = _regrouped([text for _, text in removed], [text for _, text in added])
            found |= {removed[i][0]: added[j][0] for i, j in pairs}
    _find_again(hunks, found, within_file=True)
    if across_files:
        _find_again(hunks, found, within_file=False)
    return found


def _regrouped(removed: Sequence[bytes], added: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Pairs of removed and added lines: runs of lines whose texts, one behind the other, are the same."""
    by_beginning: defaultdict[bytes, list[int]] = defaultdict(list)
    for j, text in enumerate(added):
        by_beginning[text[:_BEGINNING]].append(j)
    i = start = 0
    while i < len(removed):
        places = by_beginning.get(removed[i][:_BEGINNING], []) if len(removed[i]) >= _BEGINNING else []
        first = bisect_left(places, start)
        runs = (run for j in places[first : first + _MOST_AHEAD] if (run := _run(removed, i, added, j)))
        if run := next(runs, None):
            yield from run.pairs
            i, start = run.next_removed, run.next_added
        else:
            i += 1


class _Run(NamedTuple):
    pairs: list[tuple[int, int]]
    next_removed: int
    next_added: int


def _run(removed: Sequence[bytes], i: int, added: Sequence[bytes], j: int) -> _Run | None:
    """The run that begins with these lines; None where there is none."""
    pairs = [(i, j)]
    left, right = removed[i], added[j]
    while left != right:
        if len(left) < len(right):
            i += 1
            if i == len(removed) or not right.startswith(left):
                return None
            left += removed[i]
            pairs += [(i, j)] if removed[i] else []
        else:
            j += 1
            if j == len(added) or not left.startswith(right):
                return None
            right += added[j]
    return _Run(pairs, i + 1, j + 1)


def _find_again(hunks: Sequence[ChangedLines], found: dict[int, int], *, within_file: bool) -> None:
    """Add partners for lines that have none yet."""
    least = 1 if within_file else _LEAST_ACROSS_FILES
    wanted = {
        (hunk.file if within_file else -1, text)
        for hunk in hunks
        for id_, text in zip(hunk.removed, hunk.removed_texts, strict=True)
        if id_ not in found and len(text) >= least and has_word(text)
    }
    if not wanted:
        return
    taken = set(found.values())
    free: dict[tuple[int, bytes], deque[int]] = {}
    for key, id_ in _keyed(hunks, within_file):
        if key in wanted and id_ not in taken:
            free.setdefault(key, deque()).append(id_)
    for hunk in hunks:
        for id_, text in zip(hunk.removed, hunk.removed_texts, strict=True):
            if id_ not in found and (left := free.get((hunk.file if within_file else -1, text))):
                found[id_] = left.popleft()


def _keyed(hunks: Iterable[ChangedLines], within_file: bool) -> Iterator[tuple[tuple[int, bytes], int]]:
    for hunk in hunks:
        for id_, text in zip(hunk.added, hunk.added_texts, strict=True):
            yield (hunk.file if within_file else -1, text), id_
