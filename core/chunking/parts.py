"""Long code in parts: cut where a person would, between statements rather than inside them."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Mapping, Sequence

from core.chunking.outline import Outline, Owner

Span = tuple[int, int]
"""Some of a list's items: from the first, up to before the second."""


def cut(
    old: Sequence[int], new: Sequence[int], to_old: Callable[[int], int], depths: Mapping[int, int], max_bytes: int
) -> list[tuple[Span, Span]]:
    """Old and new lines of a symbol, given by their sizes, in parts of at most `max_bytes` a side.

    A part has more only where a single line has.

    `to_old` gives, for the number of a new line, that of the matching old line. `depths` says of
    lines, new ones unless there are only old ones, how deep a cut before them goes; the shallowest
    places come first.
    """
    if not new:
        return [(span, (0, 0)) for span in _spans(old, depths, max_bytes)]
    parts: list[tuple[Span, Span]] = []
    at = 0
    for first, end in _spans(new, depths, max_bytes):
        old_end = len(old) if end == len(new) else max(at, to_old(end))
        spans = _spans(old[at:old_end], {}, max_bytes) or [(0, 0)]
        # Where much more was removed than added, the rest of it gets parts of its own.
        parts += [
            ((at + a, at + b), (first, end) if number == 0 else (end, end)) for number, (a, b) in enumerate(spans)
        ]
        at = old_end
    return parts


def depths(side: Outline, owner: Owner | None) -> dict[int, int]:
    """Of rows of a file, how deep a cut before them goes: into statements of a symbol; else 0 behind empty lines.

    Between statements outside of symbols, where these are known, it is 1.
    """
    if owner is None:
        lines = side.source.split(b"\n")[: len(side)]
        return dict.fromkeys(side.statements, 1) | {row: 0 for row, line in enumerate(lines, 1) if not line.strip()}
    place = side.places[owner.place]
    return {place.row + row: depth for row, depth in place.unit.cuts}


def _spans(sizes: Sequence[int], depths: Mapping[int, int], max_bytes: int) -> list[Span]:
    """Lines in runs of at most `max_bytes`: each ends at the latest of the shallowest places of its second half."""
    ends = list(itertools.accumulate(sizes))
    spans: list[Span] = []
    first = done = 0
    while first < len(ends):
        last = max(bisect.bisect_right(ends, done + max_bytes), first + 1)
        if last < len(ends):
            half = max(bisect.bisect_left(ends, done + max_bytes // 2) + 1, first + 1)
            places = [(depths[line], -line) for line in range(half, last + 1) if line in depths]
            last = -min(places)[1] if places else last
        spans.append((first, last))
        first, done = last, ends[last - 1]
    return spans
