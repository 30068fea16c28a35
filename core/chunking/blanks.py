"""Blank lines that come or go with a symbol: they are no change of what is around it.

They stand between it and its neighbours, so they are lines of the class or of the file, whose only change they may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.chunking.likeness import Version
from core.chunking.matching import Matches
from core.chunking.outline import Outline, Owner

if TYPE_CHECKING:
    from core.chunking.pieces import FileChange

_Rows = dict[Owner | None, list[int]]


def give_blanks_away(changes: Sequence[FileChange], matches: Matches) -> None:
    """Where all changed lines of a symbol or outside symbols are blank, give them to new or deleted ones beside."""
    for file, change in enumerate(changes):
        if not (change.old.source and change.new.source):
            continue
        gone = {owner for owner in change.removed if owner and matches.of_old(Version(file, owner)).new is None}
        fresh = {owner for owner in change.added if owner and matches.of_new(Version(file, owner)).old is None}
        if not gone and not fresh:
            continue
        for old, new in _pairs(file, change, matches):
            removed = _given(change.old, change.removed, old, gone)
            added = _given(change.new, change.added, new, fresh)
            if removed is not None and added is not None:
                _give(change.removed, old, removed)
                _give(change.added, new, added)


def _pairs(file: int, change: FileChange, matches: Matches) -> list[tuple[Owner | None, Owner | None]]:
    """What is touched and was there before, on both sides of this file; code outside symbols too."""
    found: dict[tuple[Owner | None, Owner | None], None] = {(None, None): None}
    touched = [matches.of_old(Version(file, owner)) for owner in change.removed if owner]
    touched += [matches.of_new(Version(file, owner)) for owner in change.added if owner]
    for match in touched:
        if match.old and match.new and match.old.file == match.new.file == file:
            found[match.old.owner, match.new.owner] = None
    return list(found)


def _given(side: Outline, rows: _Rows, owner: Owner | None, takers: set[Owner]) -> list[tuple[int, Owner]] | None:
    """To whom each changed row of `owner` goes; None where one is not blank or stands beside none of the takers."""
    own = rows.get(owner, [])
    if not all(side.line(row).isspace() for row in own):
        return None
    changed = {row: taker for taker, some in rows.items() for row in some} if own else {}
    found = []
    for row in own:
        beside = [_beside(row, step, changed, owner) for step in (1, -1)]
        taker = next((one for one in beside if one in takers), None)
        if taker is None:
            return None
        found.append((row, taker))
    return found


def _beside(row: int, step: int, changed: dict[int, Owner | None], owner: Owner | None) -> Owner | None:
    """The owner of the next changed row that is another's, if all between are changed too."""
    while changed.get(row, owner) == owner and row in changed:
        row += step
    return changed.get(row)


def _give(rows: _Rows, owner: Owner | None, given: Sequence[tuple[int, Owner]]) -> None:
    for row, taker in given:
        rows[taker] = sorted((*rows[taker], row))
    if given:
        del rows[owner]
