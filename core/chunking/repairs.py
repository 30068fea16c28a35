"""Source with what a grammar does not know overwritten, so that one broken definition costs none of its neighbours.

Where a brace is missing or syntax is unknown, tree-sitter may call the rest of a file an error. People indent, so
lines say where a definition ends even then: a file is cut where lines of the outer indentation begin, each piece
is parsed alone (within the head and the end of what is around it), and of those that fail the pieces inside them
are. What fails at last is overwritten with spaces; every other byte and row stays where it is.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

MOST_TRIES = 3_000
"""Pieces of one file that are parsed alone; beyond, a piece that fails is not looked into."""
MOST_JOINED = 3
"""Pieces that may belong to the one before: a name below its type, a definition below its decorator."""
MOST_DEPTH = 12
MOST_STRING_ROWS = 300
"""Of one string or comment of several lines."""
_TAB = 4
_BELONGS_BEFORE = re.compile(
    # Closing brackets, and what continues the statement above.
    rb"[ \t]*(?:[})\]{>]|(?:end|else|elif|elsif|except|finally|catch|rescue|ensure|then|do|done|fi|esac|where|while)\b"
    rb"|(?:public|private|protected|signals)(?:\s+\w+)?\s*:)"
)
_UNINDENTED = re.compile(rb"[ \t]*(?:#|//|/\*|\*|--|$|\r)")
"""Comments, directives and empty lines say nothing by their indentation."""
_CONDITION = re.compile(rb"[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif|else|endif|region|endregion)\b")
"""What has its other end in another piece."""
_COMMENT = re.compile(rb"[ \t]*/\*")
_CLOSER = re.compile(rb"[ \t]*\}")
_LAST = re.compile(rb"[ \t]*\};?[ \t]*(?://.*)?\r?$")
"""A brace that nothing goes on behind."""
_QUOTED = re.compile(rb"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.){1,4}'|//[^\n]*|/\*.*?\*/", re.DOTALL)
_NOT_BREAKS = re.compile(rb"[^\r\n]")

Parses = Callable[[bytes], bool]
"""Whether source parses without an error."""


@dataclass
class _Piece:
    """Rows of a file that seem to belong together."""

    first: int
    end: int
    """The row behind the last."""
    open: int = 0
    """Braces that are opened and not closed."""


def repaired(source: bytes, parses: Parses, quotes: Sequence[bytes] = ()) -> Iterator[bytes]:
    """Source of the same length and rows, with what does not parse overwritten; twice where strings may be at fault.

    `quotes` are those around strings of several lines; one that is never closed seems to be such a string.
    """
    repair = _Repair(source, parses, quotes)
    yield repair.result()
    if repair.has_strings:
        yield _Repair(source, parses, ()).result()


class _Repair:
    def __init__(self, source: bytes, parses: Parses, quotes: Sequence[bytes]) -> None:
        self._lines = source.split(b"\n")
        self._indents = [_indent(line) for line in self._lines]
        self._opened = [_opened(line) for line in self._lines]
        self.has_strings = False
        bare = list(self._lines)
        for row, (line, following) in enumerate(itertools.pairwise(self._lines), 1):
            if line.endswith((b"\\", b"\\\r")) and following.strip() and self._indents[row - 1] is None:
                self._indents[row], self._opened[row] = None, 0  # a directive goes on
        for first, last in _comments(self._lines):
            within = last + 1 - first
            self._indents[first : last + 1], self._opened[first : last + 1] = [None] * within, [0] * within
            bare[first : last + 1] = [b""] * within
        for first, last in _strings(bare, quotes):
            self.has_strings = True
            # They belong to the line that opens the string.
            within = (self._indents[first - 1] or 0) + 1
            self._indents[first : last + 1] = [within] * (last + 1 - first)
            self._opened[first : last + 1] = [0] * (last + 1 - first)
        self._parses = parses
        self._tries = 0

    def result(self) -> bytes:
        self._mend(_Piece(0, len(self._lines)), b"", b"", 0)
        return b"\n".join(self._lines)

    def _text(self, first: int, end: int) -> bytes:
        return b"".join(b"\n" if _CONDITION.match(line) else line + b"\n" for line in self._lines[first:end])

    def _fits(self, first: int, end: int, around: tuple[bytes, bytes]) -> bool:
        self._tries += 1
        return self._parses(around[0] + self._text(first, end) + around[1])

    def _mend(self, within: _Piece, before: bytes, after: bytes, depth: int) -> None:
        """Overwrite what does not parse among some rows; `before` and `after` are what stands around them."""
        pieces = self._pieces(within)
        number = 0
        while number < len(pieces):
            piece = pieces[number]
            close = self._closing(pieces, number)
            is_open = close is not None and self._opens(piece)
            if not is_open and self._fits(piece.first, piece.end, (before, after)):
                number += 1
            elif depth < MOST_DEPTH and self._is_rest(pieces, number):
                self._mend(piece, before, after, depth + 1)
                number += 1
            elif close is not None:
                self._mend_between(piece, pieces[close], (before, after), depth)
                number = close + 1
            elif joined := self._joined(pieces, number, (before, after)):
                number = joined
            else:
                above = self._text(pieces[number - 1].first, piece.first) if number else b""
                self._mend_inside(piece, (before, above), after, depth)
                number += 1

    def _is_rest(self, pieces: Sequence[_Piece], number: int) -> bool:
        """True where a piece is further to the right than others: what stands around them goes on."""
        own = self._base(pieces[number])
        near = pieces[max(number - 1, 0) : number + 2]
        return own is not None and any(base is not None and base < own for base in map(self._base, near))

    def _joined(self, pieces: Sequence[_Piece], number: int, around: tuple[bytes, bytes]) -> int | None:
        """The number of the piece behind those that parse together with this one."""
        opened = 0
        for last in range(number + 1, min(number + 1 + MOST_JOINED, len(pieces))):
            opened += pieces[last - 1].open
            if opened < 0:  # it closes what is around it
                return None
            if self._fits(pieces[number].first, pieces[last].end, around):
                return last + 1
        return None

    def _mend_between(self, head: _Piece, tail: _Piece, around: tuple[bytes, bytes], depth: int) -> None:
        """Mend what stands between an opening and a closing line of the same indentation, such as a namespace."""
        body = self._body(head)
        first, last = self._text(head.first, body), self._text(tail.first, tail.end)
        inner = _Piece(body, tail.first)
        if depth < MOST_DEPTH and self._parses(around[0] + first + last + around[1]):
            self._mend(inner, around[0] + first, last + around[1], depth + 1)
            return
        self._blank(head.first, body)
        self._blank(tail.first, tail.end)
        if depth < MOST_DEPTH:
            self._mend(inner, *around, depth + 1)

    def _mend_inside(self, piece: _Piece, before: tuple[bytes, bytes], after: bytes, depth: int) -> None:
        """Keep of a broken piece its head and what parses inside it.

        `before` is what stands around it, and the piece above, which its head may go on with.
        """
        blocks = self._blocks(piece) if depth < MOST_DEPTH and self._tries <= MOST_TRIES else []
        around = before[0]
        for inner in blocks:
            head, tail = self._text(piece.first, inner.first), self._text(inner.end, piece.end)
            for above in (around, around + before[1]):
                if any(self._parses(above + head + body + tail + after) for body in (b"", self._filled(inner))):
                    self._mend(inner, above + head, tail + after, depth + 1)
                    return
            if piece.open > 0 and self._parses(around + head + b"}\n" + tail + after):
                # It is never closed: what is inside gives way to the brace.
                self._blank(inner.first, inner.end)
                last = inner.end - 1
                self._lines[last] = self._lines[last][:-1] + b"}"
                return
        if not blocks:
            self._blank(piece.first, piece.end)
            return
        self._blank(piece.first, blocks[0].first)
        self._blank(blocks[0].end, piece.end)
        self._mend(blocks[0], around, after, depth + 1)

    def _blocks(self, piece: _Piece) -> list[_Piece]:
        """The runs of rows in a piece that are indented more than its first, the longest first."""
        base = self._base(piece)
        found: list[_Piece] = []
        row = last = -1  # of code
        for row in range(piece.first + 1, piece.end):
            own = self._indents[row]
            if own is None or base is None:
                continue
            if own > base and found and last == found[-1].end - 1:
                found[-1].end = row + 1
            elif own > base:
                found.append(_Piece(row, row + 1))
            last = row
        return sorted(found, key=lambda block: block.first - block.end)

    def _filled(self, inner: _Piece) -> bytes:
        """A body that says nothing, for languages in which there must be one."""
        return b" " * (self._indents[inner.first] or 0) + b"pass\n"

    def _pieces(self, within: _Piece) -> list[_Piece]:
        """What begins at the outer indentation of some rows."""
        indents = [own for own in self._indents[within.first : within.end] if own is not None]
        if not indents:
            return []
        base = min(indents)
        found: list[_Piece] = []
        last: int | None = None
        is_over = is_rest = False
        for row in range(within.first, within.end):
            line, own = self._lines[row], self._indents[row]
            begins = own == base and not _BELONGS_BEFORE.match(line)
            if own is not None and found:
                # A brace below one that closes the piece above closes something further up; so does one below a piece
                # that opens none, or below code that goes on, further to the right, behind such a brace.
                if own == base and _CLOSER.match(line):
                    is_closed = found[-1].open <= 0 and (last == base or not self._opens_any(found[-1].first, row))
                    begins |= is_rest or is_closed
                begins |= is_over and own > base
            is_rest = own > base if begins and own is not None else is_rest
            last = last if own is None else own
            if begins or not found:
                first = row - 1 if found and self._leads(row - 1, found[-1].first) else row
                if first < row:
                    found[-1].end = first
                found.append(_Piece(first, row))
            found[-1].end = row + 1
            found[-1].open += self._opened[row]
            if own is not None:
                is_over = own == base and found[-1].open <= 0 and _LAST.match(line) is not None
        return found

    def _opens_any(self, first: int, end: int) -> bool:
        return any(number > 0 for number in self._opened[first:end])

    def _closing(self, pieces: Sequence[_Piece], number: int) -> int | None:
        """The number of the piece that closes what a line such as `namespace a {` leaves open."""
        depth = 0
        for other in range(number, len(pieces)):
            if self._opens(pieces[other]):
                depth += max(pieces[other].open, 1)
            elif self._closes(pieces[other]):
                depth += pieces[other].open
            if depth <= 0:
                return self._last_closing(pieces, other) if other > number else None
        return None

    def _last_closing(self, pieces: Sequence[_Piece], number: int) -> int:
        """This piece, or the last one behind it that closes what nothing behind it opens: then this one is too many."""
        rest = range(number + 1, len(pieces))
        if any(self._opens(pieces[other]) for other in rest):
            return number
        return max((other for other in rest if self._closes(pieces[other])), default=number)

    def _opens(self, piece: _Piece) -> bool:
        """True where what is opened at the piece's own indentation is not closed there."""
        return _QUOTED.sub(b"", self._lines[self._body(piece) - 1]).rstrip().endswith(b"{")

    def _closes(self, piece: _Piece) -> bool:
        return piece.open < 0 and _CLOSER.match(self._lines[piece.first]) is not None

    def _body(self, piece: _Piece) -> int:
        """The row behind the last one that is indented as the first is."""
        base = self._base(piece)
        rows = range(piece.end - 1, piece.first, -1)
        return next((row for row in rows if self._indents[row] == base is not None), piece.first) + 1

    def _base(self, piece: _Piece) -> int | None:
        """Indentation of a piece's first code."""
        return next((own for own in self._indents[piece.first : piece.end] if own is not None), None)

    def _leads(self, row: int, first: int) -> bool:
        """True for the type above a function's name, though it is indented."""
        line, above = _QUOTED.sub(b"", self._lines[row]).rstrip(), self._lines[row - 1].strip()
        stands_alone = row - 1 > first and (not above or self._lines[row - 1][:1] in (b"}", b"#"))
        return stands_alone and self._indents[row] is not None and line[-1:].isalnum() | line.endswith(b"*")

    def _blank(self, first: int, end: int) -> None:
        """Overwrite rows, but for comments below the last code, which may belong to what follows."""
        while end - 1 > first and self._indents[end - 1] is None:
            end -= 1
        for row in range(first, end):
            self._lines[row] = _NOT_BREAKS.sub(b" ", self._lines[row])


def _indent(line: bytes) -> int | None:
    if _UNINDENTED.match(line):
        return None
    space = line[: len(line) - len(line.lstrip())]
    return len(space.expandtabs(_TAB))


def _comments(lines: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """First and last rows of comments of several lines, each of which begins a line."""
    row = 0
    while row < len(lines):
        if _COMMENT.match(lines[row]) and b"*/" not in lines[row]:
            ends = range(row + 1, min(row + 1 + MOST_STRING_ROWS, len(lines)))
            closing = [other for other in ends if b"*/" in lines[other]]
            if closing:  # where comments nest, or hold patterns of files, the first may not be it
                end = next((other for other in closing if lines[other].rstrip().endswith(b"*/")), closing[0])
                yield row, end
                row = end
        row += 1


def _strings(lines: Sequence[bytes], quotes: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Rows that lie in strings of several lines, as far as quotes tell: first and last behind the one that opens."""
    row = 0
    while row < len(lines):
        quote = _left_open(lines[row], quotes)
        ends = range(row + 1, min(row + 1 + MOST_STRING_ROWS, len(lines)) if quote else 0)
        end = next((other for other in ends if quote in lines[other]), row)
        if end > row and not _left_open(quote + lines[end], [quote]):
            yield row + 1, end
            row = end
        row += 1


def _left_open(line: bytes, quotes: Sequence[bytes]) -> bytes:
    """The quote that a line opens and does not close."""
    for quote in quotes:
        if quote in line and (line if len(quote) > 1 else _QUOTED.sub(b"", line)).count(quote) % 2:
            return quote
    return b""


def _opened(line: bytes) -> int:
    code = _QUOTED.sub(b"", line)
    return code.count(b"{") - code.count(b"}")
