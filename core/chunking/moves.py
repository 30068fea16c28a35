"""Which symbols moved: to another file, into another symbol, or past one of their neighbours.

Lines that shift, or that all differ, are no move. Among neighbours with both versions, as many as can be stay where
they are, and rather those whose lines git shows as unchanged.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.chunking.likeness import Version
from core.chunking.matching import Matches, SymbolMatch
from core.chunking.outline import Owner

if TYPE_CHECKING:
    from core.chunking.pieces import FileChange

_Siblings = tuple[int, Owner | None, Owner | None]
"""The file, and the symbol around them before and after."""


class Moves:
    """The moves of one commit."""

    def __init__(self, touched: Sequence[SymbolMatch], matches: Matches, changes: Sequence[FileChange]) -> None:
        """`touched` are the symbols that will be asked for."""
        self._matches, self._changes = matches, changes
        self._moved: set[SymbolMatch] = set()
        looked: set[_Siblings] = set()
        for match in touched:
            if match.old is None or match.new is None:
                continue
            siblings = self._siblings(match.old, match.new)
            if siblings is None:
                self._moved.add(match)
            elif siblings not in looked and not self._is_in_place(match.old, match.new):
                looked.add(siblings)
                self._moved |= self._out_of_order(siblings)

    def __contains__(self, match: SymbolMatch) -> bool:
        return match in self._moved

    def _siblings(self, old: Version, new: Version) -> _Siblings | None:
        """What it is a sibling in, before and after; None where these are not the same."""
        if old.file != new.file:
            return None
        change = self._changes[new.file]
        before, after = change.old.parent(old.owner), change.new.parent(new.owner)
        is_same = before is after is None
        if before and after:
            is_same = self._matches.of_new(Version(new.file, after)).old == Version(old.file, before)
        if not is_same and any(
            one and side.symbol(one).kind != "module" for one, side in ((before, change.old), (after, change.new))
        ):
            return None
        # Namespaces may be written one in the other or as one: what counts is the name that they make.
        names = change.old.symbol(old.owner).qualified_name, change.new.symbol(new.owner).qualified_name
        return (new.file, before, after) if is_same or names[0] == names[1] else None

    def _is_in_place(self, old: Version, new: Version) -> bool:
        """True where its old lines, carried through the edits, meet its new ones."""
        change = self._changes[new.file]
        first, last = change.new.rows(new.owner)
        lands = [change.edits.to_new(row) for row in change.old.rows(old.owner)]
        return lands[0] <= last + 1 and lands[1] >= first - 1

    def _out_of_order(self, siblings: _Siblings) -> set[SymbolMatch]:
        """Those that are not in the heaviest run of siblings that are in one order before and after."""
        file, before, after = siblings
        change = self._changes[file]
        found: list[tuple[Owner, SymbolMatch]] = []
        for owner in self._children(file, after):
            match = self._matches.of_new(Version(file, owner))
            if match.old and match.old.file == file and change.old.parent(match.old.owner) == before:
                found.append((match.old.owner, match))
        if all(one[0] < two[0] for one, two in itertools.pairwise(found)):
            return set()
        weights = [self._kept_rows(match) * len(found) + 1 for _, match in found]
        stay = heaviest_rise([owner for owner, _ in found], weights)
        return {match for number, (_, match) in enumerate(found) if number not in stay}

    def _children(self, file: int, parent: Owner | None) -> list[Owner]:
        side = self._changes[file].new
        # Of a file, the units at both ends that are unchanged are in order with all others.
        places = [parent.place] if parent else self._matches.changed_places(file)
        number = parent.symbol if parent else -1
        return [
            Owner(place, index)
            for place in places
            for index, symbol in enumerate(side.places[place].unit.symbols)
            if symbol.parent == number
        ]

    def _kept_rows(self, match: SymbolMatch) -> int:
        """Rows of it that are unchanged, and in it before and after."""
        assert match.old is not None
        assert match.new is not None
        change = self._changes[match.new.file]
        first, last = change.new.rows(match.new.owner)
        start, end = change.old.rows(match.old.owner)
        edits = change.edits
        return sum(not edits.is_removed(row) and first <= edits.to_new(row) <= last for row in range(start, end + 1))


def heaviest_rise(places: Sequence[Owner], weights: Sequence[int]) -> set[int]:
    """Numbers of the items whose places rise from one to the next, with the largest sum of weights; weights > 0."""
    ends: list[Owner] = []  # last places of the best runs so far, rising together with their sums
    runs: list[int] = []  # the last item of each
    sums: list[int] = [0] * len(places)
    previous: list[int] = [-1] * len(places)
    for number, place in enumerate(places):
        at = bisect.bisect_left(ends, place)
        if at:
            previous[number] = runs[at - 1]
        sums[number] = weights[number] + (sums[runs[at - 1]] if at else 0)
        worse = at
        while worse < len(runs) and sums[runs[worse]] <= sums[number]:
            worse += 1
        ends[at:worse], runs[at:worse] = [place], [number]
    found: set[int] = set()
    last = runs[-1] if runs else -1
    while last >= 0:
        found.add(last)
        last = previous[last]
    return found
