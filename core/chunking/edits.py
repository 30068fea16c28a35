"""A patch as edits of lines: which are removed, which added, and where an unchanged line is on the other side.

Rows are 0-based line numbers. Both sides share their unchanged lines, so a position on one side is found on the other
by adding up the edits before it.
"""

from __future__ import annotations

import bisect
import difflib
import functools
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from core.chunking.outline import Outline

CONTEXT_LINES = 3
_APART = 2 * CONTEXT_LINES + 1
"""Unchanged lines from which on two edits get hunks of their own: their contexts no longer touch."""
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class Edit(NamedTuple):
    """A run of removed rows and the added rows in their place. Rows are 0-based."""

    old: int
    removed: int
    new: int
    added: int


class Row(NamedTuple):
    """One line of a chunk."""

    sign: str
    """ "-" removed, "+" added, " " on both sides, "<" and ">" on both but the chunk's on the old or new one alone."""
    old: int
    """Row on the old side, or where it would be."""
    new: int

    @property
    def is_old(self) -> bool:
        """True where the chunk's old code has this line."""
        return self.sign in "- <"

    @property
    def is_new(self) -> bool:
        """True where the chunk's new code has this line."""
        return self.sign in "+ >"


class Edits:
    """All edits of one file change, in order."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self.edits = edits
        self._old_starts = [edit.old for edit in edits]
        self._new_starts = [edit.new for edit in edits]

    @classmethod
    def of_patch(cls, patch: str) -> Edits:
        """Read a unified diff from its first `@@` on."""
        edits: list[Edit] = []
        old = new = removed = added = 0
        for line in patch.split("\n"):
            sign = line[:1]
            if sign == "+":
                added += 1
            elif sign == "-":
                if added:  # git prints the removed lines of an edit first, so this starts another one
                    edits.append(Edit(old, removed, new, added))
                    old, new, removed, added = old + removed, new + added, 0, 0
                removed += 1
            elif sign != "\\":
                if removed or added:
                    edits.append(Edit(old, removed, new, added))
                    old, new, removed, added = old + removed, new + added, 0, 0
                if sign == " ":
                    old, new = old + 1, new + 1
                elif sign == "@":
                    old, new = header_rows(line)
        if removed or added:
            edits.append(Edit(old, removed, new, added))
        return cls(edits)

    @classmethod
    def between(cls, old: bytes, new: bytes) -> Edits:
        """Those that turn one text into another."""
        before, after = (re.findall(rb"[^\n]*\n|[^\n]+", text) for text in (old, new))
        opcodes = difflib.SequenceMatcher(a=before, b=after).get_opcodes()
        return cls([Edit(a, b - a, c, d - c) for tag, a, b, c, d in opcodes if tag != "equal"])

    def is_removed(self, old: int) -> bool:
        """True where a row of the old side is gone."""
        number = bisect.bisect_right(self._old_starts, old) - 1
        return number >= 0 and old < self.edits[number].old + self.edits[number].removed

    def is_added(self, new: int) -> bool:
        """True where a row of the new side is not on the old one."""
        number = bisect.bisect_right(self._new_starts, new) - 1
        return number >= 0 and new < self.edits[number].new + self.edits[number].added

    def to_new(self, old: int) -> int:
        """Where a row of the old side is on the new one; for a removed row, where its edit starts."""
        number = bisect.bisect_right(self._old_starts, old) - 1
        if number < 0:
            return old
        edit = self.edits[number]
        if old < edit.old + edit.removed:
            return edit.new
        return old - edit.old - edit.removed + edit.new + edit.added

    def to_old(self, new: int) -> int:
        """Where a row of the new side was on the old one; for an added row, where its edit ends."""
        number = bisect.bisect_right(self._new_starts, new) - 1
        if number < 0:
            return new
        edit = self.edits[number]
        return edit.old + edit.removed + max(new - edit.new - edit.added, 0)

    @functools.cached_property
    def _old_spans(self) -> list[tuple[int, int, int]]:
        return [(edit.old, edit.old + edit.removed, edit.new + edit.added) for edit in self.edits]

    @functools.cached_property
    def _new_spans(self) -> list[tuple[int, int, int]]:
        return [(edit.new, end := edit.new + edit.added, end) for edit in self.edits]

    def kept_of_old(self, rows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Runs, on the new side, of the unchanged rows among some runs of the old side."""
        return _without(rows, self._old_spans, self._old_starts)

    def kept_of_new(self, rows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """The same for runs of the new side."""
        return _without(rows, self._new_spans, self._new_starts)

    def around(self, removed: Sequence[int], added: Sequence[int]) -> tuple[list[int], list[int]]:
        """(old rows, new rows) of the unchanged lines around the edits that some changed rows are in."""
        numbers = {bisect.bisect_right(self._old_starts, row) - 1 for row in removed}
        numbers |= {bisect.bisect_right(self._new_starts, row) - 1 for row in added}
        old: set[int] = set()
        new: set[int] = set()
        for number in numbers:
            edit = self.edits[number]
            before, after = edit.old, edit.old + edit.removed
            first, last = before - CONTEXT_LINES, after + CONTEXT_LINES
            if number:
                previous = self.edits[number - 1]
                first = max(first, previous.old + previous.removed)
            if number + 1 < len(self.edits):
                last = min(last, self.edits[number + 1].old)
            first = max(first, 0)
            old.update(range(first, before), range(after, last))
            new.update(range(edit.new - (before - first), edit.new))
            new.update(range(edit.new + edit.added, edit.new + edit.added + last - after))
        return sorted(old), sorted(new)

    def rows(self, old: Sequence[int], new: Sequence[int]) -> list[Row]:
        """Rows of a symbol on both sides as one list: as a diff shows them, unchanged lines once."""
        rows: list[Row] = []
        place, count = 0, len(new)
        for before in old:
            target, removed = self.to_new(before), self.is_removed(before)
            while place < count and new[place] < target:
                rows.append(self._new_row(new[place]))
                place += 1
            if removed:
                rows.append(Row("-", before, target))
            elif place < count and new[place] == target and not self.is_added(target):
                rows.append(Row(" ", before, target))
                place += 1
            else:
                rows.append(Row("<", before, target))
        rows += [self._new_row(after) for after in new[place:]]
        return rows

    def _new_row(self, new: int) -> Row:
        return Row("+" if self.is_added(new) else ">", self.to_old(new), new)


def _without(
    rows: Iterable[tuple[int, int]], spans: Sequence[tuple[int, int, int]], starts: Sequence[int]
) -> list[tuple[int, int]]:
    """Runs without some (start, end, what the row at the end is called), in these terms."""
    found: list[tuple[int, int]] = []

    def add(first: int, last: int, shift: int) -> None:
        if first <= last and found and found[-1][1] + 1 == first + shift:
            found[-1] = found[-1][0], last + shift
        elif first <= last:
            found.append((first + shift, last + shift))

    for first, last in rows:
        number = bisect.bisect_right(starts, first) - 1
        _, end, name = spans[number] if number >= 0 else (0, 0, 0)
        at, shift = max(first, end), name - end
        number += 1
        while number < len(spans) and spans[number][0] <= last:
            start, end, name = spans[number]
            add(at, start - 1, shift)
            at, shift = end, name - end
            number += 1
        add(at, last, shift)
    return found


def header_rows(line: str) -> tuple[int, int]:
    """First row of a hunk on both sides, from its `@@` line."""
    header = _HUNK.match(line)
    assert header is not None
    # With a count of zero, git names the line before.
    return int(header[1]) - (header[2] != "0"), int(header[3]) - (header[4] != "0")


def render(rows: Sequence[Row], old: Outline, new: Outline) -> bytes:
    """A unified diff of the changed rows with the unchanged lines around them."""
    out: list[bytes] = []
    for hunk in _hunks(rows):
        removed, added = sum(row.is_old for row in hunk), sum(row.is_new for row in hunk)
        out.append(_header(hunk[0].old, removed, hunk[0].new, added))
        out += [_signed(row.sign.encode(), old.line(row.old) if row.sign == "-" else new.line(row.new)) for row in hunk]
    return b"".join(out)


def render_removed(rows: Iterable[int], edits: Edits | None, side: Outline) -> bytes:
    """A diff of rows that are gone; without `edits`, as if from a file that is gone."""
    out = []
    for first, last in runs(rows):
        out.append(_header(first, last - first + 1, edits.to_new(first) if edits else 0, 0))
        out.append(_signed(b"-", side.code([(first, last)])))
    return b"".join(out)


def render_added(rows: Iterable[int], edits: Edits | None, side: Outline) -> bytes:
    """A diff of rows that are new; without `edits`, as if from a file that is new."""
    out = []
    for first, last in runs(rows):
        out.append(_header(edits.to_old(first) if edits else 0, 0, first, last - first + 1))
        out.append(_signed(b"+", side.code([(first, last)])))
    return b"".join(out)


def runs(rows: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending rows as (first, last) of consecutive runs."""
    found: list[tuple[int, int]] = []
    first = last = -1
    for row in rows:
        if row != last + 1 or first < 0:
            if first >= 0:
                found.append((first, last))
            first = row
        last = row
    if first >= 0:
        found.append((first, last))
    return found


def _header(old: int, removed: int, new: int, added: int) -> bytes:
    # With a count of zero, git names the line before.
    return b"@@ -%d,%d +%d,%d @@\n" % (old + (removed > 0), removed, new + (added > 0), added)


def _signed(sign: bytes, lines: bytes) -> bytes:
    """Lines, each behind a sign. Only the last may lack its end."""
    signed = sign + lines.removesuffix(b"\n").replace(b"\n", b"\n" + sign)
    return signed + (b"\n" if lines.endswith(b"\n") else b"\n\\ No newline at end of file\n")


def _hunks(rows: Sequence[Row]) -> list[list[Row]]:
    """Changed rows with up to three unchanged ones around them, cut where line numbers jump."""
    hunks: list[list[Row]] = []
    context: list[Row] = []
    since = _APART
    """Unchanged rows since the last changed one."""
    # (old, new) of the row that would continue the hunk; a symbol's own lines have gaps where others are inside it.
    expected = (-1, -1)
    for row in rows:
        # A line that belongs to this symbol on one side only cannot be drawn: it would read as unchanged. A gap ends
        # the hunk too, since the numbers in a hunk's header count rows without gaps.
        if row.sign in "<>" or (row.old, row.new) != expected:
            context, since = [], _APART
        if row.sign in "<>":
            expected = (-1, -1)
            continue
        expected = row.old + (row.sign != "+"), row.new + (row.sign != "-")
        if row.sign != " ":
            if since >= _APART:
                hunks.append(context)
            else:
                hunks[-1] += context
            hunks[-1].append(row)
            context, since = [], 0
        else:
            since += 1
            if since <= CONTEXT_LINES:  # behind a change: it is shown in any case
                hunks[-1].append(row)
            else:  # shown only if another change follows soon
                context = [*context[-CONTEXT_LINES + 1 :], row]
    return hunks
