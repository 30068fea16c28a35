"""The units of a file from its tree.

Most units of a version are those of the version before, so what was found in a unit is remembered
by its content, and only new units are searched.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from core.chunking.definitions import Definitions
from core.chunking.grammars import node_ids
from core.chunking.leaders import Leaders
from core.chunking.outline import Place, Symbol, Unit, unit_of
from core.code.languages import LANGUAGES, Language
from core.code.test_marks import Marks, Where

if TYPE_CHECKING:
    from tree_sitter import Node

UNITS_KEPT = 1 << 13
MOST_DEPTH = 50
"""Of containers in containers that are searched one by one; deeper ones are searched whole."""
LARGE_UNIT, LARGE_NODE = 8192, 2048
"""Bytes from which on places to cut are looked for, in units and in the nodes inside them."""


class Units:
    """Finds the units of one language."""

    def __init__(self, language: str) -> None:
        self._language: Language = LANGUAGES[language]
        self._containers = node_ids(language, self._language.containers)
        self._has_sections = self._language.kind == "documentation"
        self._nested = re.compile(self._language.nested.encode()) if self._language.nested else None
        self._rest_of_file = node_ids(language, self._language.rest_of_file)
        self._leaders, self._marks = Leaders(language), Marks(self._language)
        self._definitions = Definitions(language, self._leaders, self._marks)
        self._kept: OrderedDict[Hashable, Unit] = OrderedDict()
        self._depth = 0
        self._parsed = b""
        """The text that was parsed: the source, or what took its place."""

    def places(self, root: Node, source: bytes, parsed: bytes, path: str) -> list[Place]:
        """Where the units of a file are; `parsed` is what was parsed instead of the source."""
        self._parsed, where = parsed, self._marks.around(path)
        found = []
        for first, node, rest in self._scopes(root, source):
            unit = self._rest(first, node, rest, source, where) if rest else self._unit(first, node, source, where)
            if unit.symbols:
                found.append(Place(first.start_point.row, first.start_byte, unit))
        return found

    def _scopes(self, root: Node, source: bytes) -> Iterator[tuple[Node, Node, list[tuple[Node, Node]]]]:
        """Each top-level piece, and what follows it where it is the namespace of all that follows."""
        scope: tuple[Node, Node, list[tuple[Node, Node]]] | None = None
        pieces = [(root, root)] if self._language.from_root else self._leaders.pieces(root, source)
        for first, node in pieces:
            if node.kind_id in self._rest_of_file and node.child_by_field_name("body") is None:
                if scope:
                    yield scope
                scope = first, node, []
            elif scope:
                scope[2].append((first, node))
            else:
                yield first, node, []
        if scope:
            yield scope

    def _unit(self, first: Node, node: Node, source: bytes, where: Where) -> Unit:
        """What is in a piece. It must depend on nothing but the piece's content, since it is remembered by that."""
        digest = self._digest(first.start_byte, node.end_byte, source), node.kind_id, where
        unit = self._kept.get(digest)
        if unit is not None:
            self._kept.move_to_end(digest)
            return unit
        unit = self._by_head(first, node, source, digest, where) or self._search(first, node, source, digest, where)
        if not node.has_error:  # with errors, what is found may depend on what is around
            self._kept[digest] = unit
            if len(self._kept) > UNITS_KEPT:
                self._kept.popitem(last=False)
        return unit

    def _digest(self, start: int, end: int, source: bytes) -> bytes:
        """Of a piece's content, and of what was parsed in its place."""
        hasher = hashlib.blake2b(source[start:end], digest_size=16)
        if self._parsed is not source:
            hasher.update(self._parsed[start:end])
        return hasher.digest()

    def _rest(self, first: Node, node: Node, pieces: Sequence[tuple[Node, Node]], source: bytes, where: Where) -> Unit:
        """A namespace without a body from the units behind it, as if they were in its body."""
        last = pieces[-1][1]
        digest = self._digest(first.start_byte, last.end_byte, source), node.kind_id, where
        row, start = first.start_point.row, first.start_byte
        unit = self._search(first, node, source, digest, where)
        if len(unit.symbols) != 1:
            return unit
        end = last.end_point
        last_row = end.row - (0 if end.column else 1) - row
        own = unit.symbols[0]._replace(last=max(last_row, unit.symbols[0].last), end=last.end_byte - start)
        return unit_of(self._with_members(own, pieces, source, (row, start), where), {}, digest)

    def _by_head(self, first: Node, node: Node, source: bytes, digest: Hashable, where: Where) -> Unit | None:
        """A type or module from the units in its body, most of which are known, or a function that has none in it.

        None for pieces that are to be searched.
        """
        inner = self._definitions.unwrapped(node)
        is_container = inner.kind_id in self._containers and self._depth < MOST_DEPTH
        body = self._body(inner) if is_container or self._nested else None
        if body is None or body.has_error or not (is_container or self._has_none_nested(body)):
            return None
        origin = first.start_point.row, first.start_byte
        own = self._definitions.before(body, inner, source, origin, where)
        if own is None or not (is_container or own.kind == "function"):
            return None
        pieces = self._members(inner, body, source) if is_container else ()
        return unit_of(self._with_members(own, pieces, source, origin, where), _cuts(node, origin[0]), digest)

    def _body(self, node: Node) -> Node | None:
        """The body of a definition; of a section, the first node behind its heading."""
        if self._has_sections:
            return node.child(1) if node.child_count > 1 else None
        return node.child_by_field_name("body")

    def _members(self, node: Node, body: Node, source: bytes) -> Iterator[tuple[Node, Node]]:
        """The pieces in a container's body. A section has its own behind its heading, with no node around them."""
        if self._has_sections:
            return itertools.islice(self._leaders.pieces(node, source), 1, None)
        return self._leaders.pieces(body, source)

    def _has_none_nested(self, body: Node) -> bool:
        """True where a function's body surely has no definitions in it: to search a tree for them takes long."""
        return self._nested is not None and self._nested.search(self._parsed, body.start_byte, body.end_byte) is None

    def _with_members(
        self, own: Symbol, pieces: Iterable[tuple[Node, Node]], source: bytes, origin: tuple[int, int], where: Where
    ) -> list[Symbol]:
        """A symbol with those inside it, from the units that they are in; `origin` is the row and byte of its unit."""
        row, start = origin
        inside = self._marks.inside(own.kind, where, is_test=own.is_test)
        symbols = [own]
        for leader, piece in pieces:
            self._depth += 1
            unit = self._unit(leader, piece, source, inside)
            self._depth -= 1
            rows, offset, before = leader.start_point.row - row, leader.start_byte - start, len(symbols)
            symbols += [
                Symbol(
                    one.kind,
                    one.name,
                    f"{own.qualified_name}{self._language.separator}{one.qualified_name}",
                    one.parent + before if one.parent >= 0 else 0,
                    one.first + rows,
                    one.definition + rows,
                    one.last + rows,
                    one.start + offset,
                    one.body + offset,
                    one.end + offset,
                    one.signature,
                    one.doc,
                    one.is_test,
                )
                for one in unit.symbols
            ]
        return symbols

    def _search(self, first: Node, node: Node, source: bytes, digest: Hashable, where: Where) -> Unit:
        """A piece from all definitions in its tree."""
        row = first.start_point.row
        symbols = self._definitions.within(node, source, (row, first.start_byte), where)
        return unit_of(symbols, _cuts(node, row), digest)


def _cuts(unit: Node, row: int) -> dict[int, int]:
    """Rows at which nodes of a large unit start, with the depth of the outermost; small nodes are not entered."""
    found: dict[int, int] = {}
    level, depth = ([unit] if unit.end_byte - unit.start_byte > LARGE_UNIT else []), 0
    while level:
        below = []
        for node in level:
            for child in node.named_children:
                found.setdefault(child.start_point.row - row, depth)
                if child.end_byte - child.start_byte > LARGE_NODE:
                    below.append(child)
        level, depth = below, depth + 1
    return found
