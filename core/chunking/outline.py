"""The symbols of one version of a file, by row.

A file is a list of units: its top-level pieces with the attributes and comments that lead them.
Lines (rows) and bytes in a unit count from its start, so that a unit is the same wherever it is in a file.
"""

from __future__ import annotations

import bisect
import copy
import functools
import itertools
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from core.chunking.c_tokens import comments_behind

if TYPE_CHECKING:
    from tree_sitter import QueryCursor, Tree

    from core.git.encodings import Encoding


_LINE_FEED = 10


class Symbol(NamedTuple):
    """A named piece of a unit. Rows are 0-based, from the unit's first row; bytes from its first byte."""

    kind: str
    name: str
    qualified_name: str
    parent: int
    """Index in the unit of the symbol around this one, -1 for none."""
    first: int
    """Row of its first attribute, decorator or doc comment."""
    definition: int
    """Row of its name."""
    last: int
    start: int
    """First byte of the definition, after attributes and comments."""
    body: int
    """First byte of the body; `end` where there is none."""
    end: int
    signature: str
    """Everything from the definition's start to its body, in one line."""
    doc: str
    """Doc comment or docstring without its marks."""
    is_test: bool
    identity: str = ""
    """What it is called for ever, whatever else changes, where its file says so: the id of a notebook's cell."""


class Unit(NamedTuple):
    """What was found in a top-level piece of a file."""

    symbols: tuple[Symbol, ...]
    """Outer before inner."""
    owners: tuple[int, ...]
    """Of each row, the index of the innermost symbol, -1 for none."""
    runs: tuple[tuple[tuple[int, int], ...], ...]
    """Of each symbol, the first and last rows of the runs that it owns."""
    containers: frozenset[int]
    """Symbols with others inside."""
    cuts: tuple[tuple[int, int], ...]
    """Of a large unit, rows at which statements start, with their depth; the best cut is where that is least."""
    digest: Hashable
    """Of the content; units with the same digest are the same."""


def unit_of(symbols: list[Symbol], cuts: Mapping[int, int], digest: Hashable) -> Unit:
    """The unit that some symbols make, outer before inner."""
    owners = _owners(symbols)
    return Unit(
        symbols=tuple(symbols),
        owners=owners,
        runs=_runs(owners, len(symbols)),
        containers=frozenset(symbol.parent for symbol in symbols),
        cuts=tuple(sorted(cuts.items())),
        digest=digest,
    )


def _owners(symbols: list[Symbol]) -> tuple[int, ...]:
    """Of each row of a unit, the innermost symbol; a row on which two begin is the outer one's."""
    owners = [-1] * (max((symbol.last for symbol in symbols), default=-1) + 1)
    for index, symbol in enumerate(symbols):
        first = symbol.first
        if symbol.parent >= 0:
            first = max(first, symbols[symbol.parent].definition + 1)
        owners[first : symbol.last + 1] = [index] * (symbol.last + 1 - first)
    return tuple(owners)


def _runs(owners: Sequence[int], symbols: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Of each symbol, the runs of rows that are its own."""
    runs: list[list[tuple[int, int]]] = [[] for _ in range(symbols)]
    row = 0
    for owner, group in itertools.groupby(owners):
        first, row = row, row + len(list(group))
        if owner >= 0:
            runs[owner].append((first, row - 1))
    return tuple(map(tuple, runs))


class Place(NamedTuple):
    """A unit in a file: the row and the byte that it starts at."""

    row: int
    start: int
    unit: Unit


class Owner(NamedTuple):
    """A symbol in an outline: number of the unit's place, number in the unit."""

    place: int
    symbol: int


class Outline:
    """One version of a file: its lines, its symbols, its comments."""

    def __init__(self, source: bytes = b"") -> None:
        self.source = source
        self.encoding: Encoding | None = None
        """What the source, now in UTF-8, was in; None where it is as in the repository."""
        self.places: list[Place] = []
        """In the order of the file; only those with symbols."""
        self.is_indented = False
        """Indentation changes what code does."""
        self.has_error = False
        self.has_carriage_returns = False
        """Some lines end with a carriage return alone, which git does not count as an end."""
        self.lacks_symbols = False
        """Some are left out since they share lines with other code."""
        self.tree: Tree | None = None
        """None where no grammar has read the file."""
        self.comment_cursor: QueryCursor | None = None
        """Finds comments in the tree."""
        self.comments: list[tuple[int, int]] = []
        """Byte ranges of comments where no grammar tells them."""
        self.statements: list[int] = []
        """Rows at which code outside of symbols may be cut, where no grammar tells them."""

    @functools.cached_property
    def starts(self) -> list[int]:
        """First byte of each line, then the file's size. Only a line feed ends a line, as git counts."""
        import numpy as np

        ends = np.flatnonzero(np.frombuffer(self.source, np.uint8) == _LINE_FEED) + 1
        starts: list[int] = [0, *ends.tolist()]
        if starts[-1] != len(self.source):
            starts.append(len(self.source))
        return starts

    def __len__(self) -> int:
        """Number of lines."""
        return len(self.starts) - 1

    def line(self, row: int) -> bytes:
        """A line with its end."""
        return self.source[self.starts[row] : self.starts[row + 1]]

    def sizes(self, rows: Iterable[int]) -> list[int]:
        """Bytes of some lines with their ends."""
        starts = self.starts
        return [starts[row + 1] - starts[row] for row in rows]

    @functools.cached_property
    def _place_rows(self) -> list[int]:
        return [place.row for place in self.places]

    def point(self, row: int) -> tuple[int, tuple[int, int]]:
        """(byte, (row, column)) at which a row starts; past the last line, the file's end."""
        start = self.starts[row]
        if row < len(self) or not self.source or self.source.endswith(b"\n"):
            return start, (row, 0)
        return start, (row - 1, start - self.starts[row - 1])

    def has_point(self, byte: int, point: tuple[int, int]) -> bool:
        """True where a byte is at a (row, column)."""
        return point[0] < len(self.starts) and self.starts[point[0]] + point[1] == byte

    def code(self, runs: Iterable[tuple[int, int]]) -> bytes:
        """The text of some runs of rows."""
        starts = self.starts
        return b"".join([self.source[starts[first] : starts[last + 1]] for first, last in runs])

    def forget_lines(self) -> None:
        """Free what is kept for each line; it is computed again when needed."""
        self.__dict__.pop("starts", None)

    def without_symbols(self) -> Outline:
        """The same lines and comments, all of them outside symbols."""
        other = copy.copy(self)
        other.places = []
        other.__dict__.pop("_place_rows", None)
        return other

    def symbol(self, owner: Owner) -> Symbol:
        """What `owner` points at."""
        return self.places[owner.place].unit.symbols[owner.symbol]

    def parent(self, owner: Owner) -> Owner | None:
        """The symbol around another."""
        parent = self.symbol(owner).parent
        return Owner(owner.place, parent) if parent >= 0 else None

    def owner(self, row: int) -> Owner | None:
        """The innermost symbol around a row (0-based), None outside symbols."""
        number = bisect.bisect_right(self._place_rows, row) - 1
        if number < 0:
            return None
        place = self.places[number]
        own = row - place.row
        index = place.unit.owners[own] if own < len(place.unit.owners) else -1
        return Owner(number, index) if index >= 0 else None

    def owned(self, first: int, end: int) -> Iterator[tuple[Owner | None, range]]:
        """Rows from `first` up to before `end` in runs of one owner each; one owner may have several."""
        row = first
        while row < end:
            number = bisect.bisect_right(self._place_rows, row) - 1
            until = min(self._place_rows[number + 1], end) if number + 1 < len(self.places) else end
            if number >= 0:
                place = self.places[number]
                for index, group in itertools.groupby(place.unit.owners[row - place.row : until - place.row]):
                    row, start = row + len(list(group)), row
                    yield Owner(number, index) if index >= 0 else None, range(start, row)
            if row < until:
                yield None, range(row, until)
            row = until

    def own_runs(self, owner: Owner) -> list[tuple[int, int]]:
        """Runs of rows that belong to the symbol and to none inside it."""
        place = self.places[owner.place]
        runs = [(place.row + first, place.row + last) for first, last in place.unit.runs[owner.symbol]]
        if (
            owner.place + 1 < len(self._place_rows)
            and runs
            and runs[-1][1] >= (following := self._place_rows[owner.place + 1])
        ):
            # The next unit begins on this one's last row, and has it.
            runs = [(first, min(last, following - 1)) for first, last in runs if first < following]
        return runs

    def rows(self, owner: Owner) -> tuple[int, int]:
        """First and last row of the whole symbol."""
        place, symbol = self.places[owner.place], self.symbol(owner)
        return place.row + symbol.first, place.row + symbol.last

    def text(self, owner: Owner) -> bytes:
        """The definition, with everything inside it, without attributes and comments before it."""
        place, symbol = self.places[owner.place], self.symbol(owner)
        return self.source[place.start + symbol.start : place.start + symbol.end]

    def comments_between(self, start: int, end: int) -> list[tuple[int, int]]:
        """Byte ranges of comments and docstrings that touch a byte range, clipped to it, in order."""
        if start >= end:
            return []
        if self.tree is None or self.comment_cursor is None:
            first = max(bisect.bisect_left(self.comments, (start,)) - 1, 0)
            near = itertools.takewhile(lambda one: one[0] < end, itertools.islice(self.comments, first, None))
            return [(max(one, start), min(last, end)) for one, last in near if last > start]
        self.comment_cursor.set_byte_range(start, end)
        captures = self.comment_cursor.captures(self.tree.root_node)
        found = [(node.start_byte, node.end_byte) for node in captures.get("comment", ())]
        for node in captures.get("comment.behind", ()):
            found += comments_behind(self.source, node.start_byte, node.end_byte)
        ranges = sorted((max(first, start), min(last, end)) for first, last in found)
        return [one for one in ranges if one[0] < one[1]]

    def counts(self) -> tuple[int, int]:
        """Number of symbols where people put them, each as often as it is deep, and of all.

        The more, the better a file was understood. They stand at the left margin, or further to the right than what
        they are in, but for what is in a module.
        """
        placed = number = 0
        for place in self.places:
            symbols = place.unit.symbols
            columns = [self._column(place.start + one.start) for one in symbols]
            depths: list[int] = []  # of those where people put them
            for one, column in zip(symbols, columns, strict=True):
                if one.parent < 0:
                    depths.append(int(column == 0))
                else:
                    around = symbols[one.parent]
                    is_inside = column > columns[one.parent] or around.kind == "module" or one.first == around.first
                    depths.append(depths[one.parent] + 1 if is_inside and depths[one.parent] else 0)
            placed += sum(depths)
            number += len(symbols)
        return placed, number

    def _column(self, byte: int) -> int:
        """Width of the white space that a line begins with."""
        start = self.source.rfind(b"\n", 0, byte) + 1
        line = self.source[start : start + 200]
        return len(line) - len(line.lstrip())

    def owners(self) -> Iterator[Owner]:
        """Every symbol, outer before inner, in the order of the file."""
        for number, place in enumerate(self.places):
            for index in range(len(place.unit.symbols)):
                yield Owner(number, index)
