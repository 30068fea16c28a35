"""An edit of code as hunks, which name what is removed and what is added, and apply mechanically.

A hunk has the lines just before it that are needed to find its place (`kept`), the lines that go and the lines that
come. It belongs to the first place, behind the hunk before it, where kept and removed lines stand in a row. So there
are no line numbers, which a model cannot count, and an edit reads like the code that it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapidfuzz.distance import LCSseq

if TYPE_CHECKING:
    from core.text.grammar import Text

MOST_CELLS = 1 << 26
"""Old lines times new lines up to which they are compared one by one, in an eighth of so many bytes."""


@dataclass(frozen=True)
class Hunk:
    """Lines as text. A hunk that keeps and removes nothing adds at the place where the one before it ended."""

    kept: Text = ()
    removed: Text = ()
    added: Text = ()


class HunkError(ValueError):
    """An edit that does not apply."""


def hunks(before: Text, after: Text) -> list[Hunk]:
    """The edit that turns one text into the other: `apply(before, hunks(before, after)) == after`.

    Lines are compared, and no hunk keeps more lines than its place needs. Equal texts have no hunks.
    """
    old, new, numbers = lines(before), lines(after), _Numbers()
    places = numbers.spell(old)
    found: list[Hunk] = []
    cursor = 0
    for first, last, start, end in _changes(places, numbers.spell(new)):
        kept = _kept(places, cursor, first, last)
        found.append(Hunk(_joined(old[first - kept : first]), _joined(old[first:last]), _joined(new[start:end])))
        cursor = last
    return found


def apply(before: Text, edit: Iterable[Hunk]) -> Text:
    """The text after the edit. Raises HunkError for a hunk whose lines are not there, or that changes nothing."""
    old, numbers = lines(before), _Numbers()
    places = numbers.spell(old)
    made: list[Text] = []
    cursor = 0
    for number, hunk in enumerate(edit, start=1):
        kept, removed = lines(hunk.kept), lines(hunk.removed)
        if not (removed or hunk.added):
            raise HunkError(f"hunk {number} removes nothing and adds nothing")
        at = places.find(numbers.spell([*kept, *removed]), cursor)
        if at < 0:
            raise HunkError(f"hunk {number}: its lines are not in the code")
        made += [*old[cursor : at + len(kept)], *lines(hunk.added)]
        cursor = at + len(kept) + len(removed)
    return _joined([*made, *old[cursor:]])


def lines(text: Text) -> list[Text]:
    """The lines of a text with their ends, each a text; only the last may lack "\n", which alone ends a line."""
    found: list[Text] = []
    line: list[str] = []
    for piece in text:
        if type(piece) is not str:  # a mask
            line.append(piece)
            continue
        *whole, rest = piece.split("\n")
        for part in whole:
            found.append((*line, part + "\n"))
            line = []
        line += [rest] if rest else []
    return [*found, tuple(line)] if line else found


def _joined(some: Sequence[Text]) -> Text:
    """Lines as one text."""
    made: list[str] = []
    for line in some:
        for piece in line:
            if made and type(piece) is type(made[-1]) is str:
                made[-1] += piece
            else:
                made.append(piece)
    return tuple(made)


class _Numbers:
    """Gives every line a number, so that lines can be compared and found as characters of a string."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[type[str], str], ...], int] = {}

    def spell(self, some: Sequence[Text]) -> str:
        """A character for each line; a mask is no text that looks like one."""
        keys = (tuple((type(piece), piece) for piece in line) for line in some)
        return "".join(chr(self._known.setdefault(key, len(self._known))) for key in keys)


def _changes(old: str, new: str) -> Iterable[tuple[int, int, int, int]]:
    """(first and end of the removed lines, first and end of the added ones) of each change, in order."""
    first = start = 0
    for old_at, old_end, new_at, new_end in [*_equal(old, new), (len(old), len(old), len(new), len(new))]:
        if (first, start) != (old_at, new_at):
            yield first, old_at, start, new_at
        first, start = old_end, new_end


def _equal(old: str, new: str) -> list[tuple[int, int, int, int]]:
    """(first and end among the old lines, first and end among the new ones) of each run of equal lines, in order.

    Of very long texts only the runs at both ends.
    """
    if len(old) * len(new) <= MOST_CELLS:
        found = [block for block in LCSseq.opcodes(old, new) if block.tag == "equal"]
        return [(block.src_start, block.src_end, block.dest_start, block.dest_end) for block in found]
    least = min(len(old), len(new))
    head = next((place for place in range(least) if old[place] != new[place]), least)
    tail = next((place for place in range(least - head) if old[-1 - place] != new[-1 - place]), least - head)
    return [(0, head, 0, head), (len(old) - tail, len(old), len(new) - tail, len(new))]


def _kept(old: str, cursor: int, first: int, last: int) -> int:
    """How many lines before `first` a hunk must keep for the first place from `cursor` on to be its own.

    The more it keeps, the fewer places there are, so the number is found by halving.
    """
    least, most = 0, first - cursor
    while least < most:
        middle = (least + most) // 2
        if old.find(old[first - middle : last], cursor) == first - middle:
            most = middle
        else:
            least = middle + 1
    return most
