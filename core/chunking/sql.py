"""Outlines of SQL: what its statements define, by row."""

from __future__ import annotations

import bisect
import hashlib
import itertools
import re

from core.chunking.carriage_returns import as_line_feeds, by_git_lines
from core.chunking.heads import comments_of, signature_of, without_marks
from core.chunking.outline import Outline, Place, Symbol, unit_of
from core.chunking.sql_definitions import Definition, Definitions, definitions_of
from core.chunking.units import LARGE_UNIT

_STATEMENT_END = re.compile(rb";[ \t]*(?:--[^\n]*)?\r?\n([ \t]*)(?=\S)")


def outline_of_sql(source: bytes) -> Outline:
    """The outline of SQL in any dialect. Whatever the bytes, there is one."""
    text = as_line_feeds(source)
    read = definitions_of(text)
    found, lines = Outline(source), Outline(text)
    found.has_carriage_returns, found.has_error = text is not source, read.is_torn
    found.comments = read.comments
    tops = [number for number, one in enumerate(read.found) if one.parent < 0]
    for number, end in itertools.pairwise((*tops, len(read.found))):
        found.places.append(_place(lines, read, read.found[number:end], number))
    if found.has_carriage_returns:
        found.places = by_git_lines(found, text)
    else:
        found.statements = sorted({_row(lines, _next_line(text, at)) for at in read.statements})
    return found


def _place(lines: Outline, read: Definitions, group: list[Definition], number: int) -> Place:
    """A definition with those inside it, of which the first has this number in the file."""
    text = lines.source
    start = _lead(text, read.comments, group[0].start)
    row = _row(lines, start)
    symbols = [_symbol(lines, read, one, number, (row, start)) for one in group]
    whole = text[start : group[0].close]
    digest = hashlib.blake2b(b"%s\0%s" % (group[0].state.encode(), whole), digest_size=16).digest()
    return Place(row, start, unit_of(symbols, _cuts(whole), digest))


def _symbol(lines: Outline, read: Definitions, one: Definition, number: int, origin: tuple[int, int]) -> Symbol:
    text, (row, start) = lines.source, origin
    lead = max(_lead(text, read.comments, one.start), start)
    body = one.body if one.body >= 0 else one.end
    head = text[one.start : body].decode(errors="replace")
    return Symbol(
        one.kind,
        one.name,
        one.qualified_name,
        one.parent - number if one.parent >= 0 else -1,
        _row(lines, lead) - row,
        _row(lines, one.name_at) - row,
        _row(lines, max(one.close - 1, one.name_at)) - row,
        one.start - start,
        body - start,
        one.end - start,
        signature_of(head, one.kind, has_body=one.body >= 0),
        without_marks(comments_of(text[lead : one.start].decode(errors="replace"))),
        is_test=False,
    )


def _lead(text: bytes, comments: list[tuple[int, int]], start: int) -> int:
    """Where the comments begin that stand right above a place, each on lines of its own; else the place."""
    number = bisect.bisect_left(comments, (start, start)) - 1
    while number >= 0:
        first, end = comments[number]
        between, line = text[end:start], text.rfind(b"\n", 0, first) + 1
        if between.strip() or between.count(b"\n") != 1 or text[line:first].strip():
            break
        start, number = first, number - 1
    return start


def _row(lines: Outline, byte: int) -> int:
    return bisect.bisect_right(lines.starts, byte, 0, max(len(lines), 1)) - 1


def _next_line(text: bytes, at: int) -> int:
    """Where the line begins that follows a place."""
    return text.find(b"\n", at) + 1 or len(text)


def _cuts(unit: bytes) -> dict[int, int]:
    """Rows of a large unit at which statements begin, with how far they are indented."""
    if len(unit) <= LARGE_UNIT:
        return {}
    ends = _STATEMENT_END.finditer(unit)
    return {unit.count(b"\n", 0, end.start(1)): len(end[1].expandtabs(4)) for end in ends}
