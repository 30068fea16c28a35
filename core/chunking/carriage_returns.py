"""Files in which a carriage return alone ends lines: for a language it does, for git it does not.

They are parsed with line feeds in their place, which leaves every byte where it is; the symbols are then put on the
lines that git counts. One that shares its lines with other code would get the changes of that too, so it is left out.
"""

from __future__ import annotations

import bisect
import re

from core.chunking.outline import Outline, Place, Symbol, Unit, unit_of

_ALONE = re.compile(rb"\r(?!\n)")
_ENDS = re.compile(rb"[\s;,)\]}]*")


def as_line_feeds(source: bytes) -> bytes:
    """The source with line feeds for lone carriage returns; the very same object where there are none."""
    return _ALONE.sub(b"\n", source) if b"\r" in source and _ALONE.search(source) else source


def by_git_lines(found: Outline, text: bytes) -> list[Place]:
    """The places of an outline that was read from `text`, by the lines that git counts; sets `lacks_symbols`."""
    starts = found.starts
    rows = [bisect.bisect_right(starts, start) - 1 for start in _starts(text)]
    places = []
    for place in found.places:
        unit = _unit(found, place, rows)
        found.lacks_symbols |= len(unit.symbols) < len(place.unit.symbols)
        if unit.symbols:
            places.append(Place(rows[place.row], place.start, unit))
    return places


def _starts(text: bytes) -> list[int]:
    return [0, *(end.end() for end in re.finditer(b"\n", text))]


def _unit(found: Outline, place: Place, rows: list[int]) -> Unit:
    """The unit with the symbols that have their lines to themselves."""
    kept: list[Symbol] = []
    numbers = {-1: -1}
    for number, symbol in enumerate(place.unit.symbols):
        first, definition, last = (
            rows[place.row + row] - rows[place.row] for row in (symbol.first, symbol.definition, symbol.last)
        )
        moved = symbol._replace(first=first, definition=definition, last=last)
        if symbol.parent in numbers and _is_alone(found, place, moved, rows[place.row]):
            numbers[number] = len(kept)
            kept.append(moved._replace(parent=numbers[symbol.parent]))
    cuts = {rows[place.row + row] - rows[place.row]: depth for row, depth in reversed(place.unit.cuts)}
    return unit_of(kept, cuts, ("\r", place.unit.digest))


def _is_alone(found: Outline, place: Place, symbol: Symbol, row: int) -> bool:
    start, end = place.start + symbol.start, place.start + symbol.end
    first = min(found.starts[row + symbol.first], start)
    before = found.source[first:start] if b"\n" not in found.source[first:start] else b""
    after = found.source[end : found.starts[row + symbol.last + 1]]
    return not before.strip() and _ENDS.fullmatch(after) is not None
