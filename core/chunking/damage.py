"""How far errors in a tree reach: those inside a function may leave the symbols of a file as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.chunking.outline import Outline, Owner

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_ERRORS = 500
"""With more, a file is not understood, wherever they are."""
_CLOSER = re.compile(rb"[ \t]*(?:\}|end\b)")


def is_contained(found: Outline) -> bool:
    """True where each error lies in one row of a function that seems to end where its author let it end.

    Its neighbours and its own name are then as right as without the error. People indent: a row further out inside a
    function, or a brace as far out as its own, says that it has taken what follows for its own. An error of several
    rows is as harmless if it has no brace, so that no definition can be in it.
    """
    if found.tree is None or found.tree.root_node.is_error or found.has_carriage_returns:
        return False
    whole: set[Owner] = set()
    number = 0
    for number, error in enumerate(_errors(found.tree.root_node), 1):
        if _is_end_of_file(found, error):
            continue
        owner = found.owner(error.start_point.row)
        if number > MOST_ERRORS or owner is None or not _is_inside(found, owner, error):
            return False
        if owner not in whole and not _ends_in_its_place(found, owner):
            return False
        whole.add(owner)
    return number > 0


def _errors(root: Node) -> Iterator[Node]:
    """What a parser has skipped or made up; where that is nothing that can be seen, what it is in."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        inner = [] if node.is_error else [one for one in node.children if one.has_error]
        if inner:
            nodes += inner
        elif node.has_error:
            yield node


def _is_end_of_file(found: Outline, error: Node) -> bool:
    """True for a directive in the last row, where the end of that row is missing."""
    is_one_row = error.start_point.row == error.end_point.row
    return is_one_row and not (error.is_error or error.is_missing) and not found.source[error.end_byte :].strip()


def _is_inside(found: Outline, owner: Owner, error: Node) -> bool:
    start, symbol = found.places[owner.place].start, found.symbol(owner)
    if error.start_point.row != error.end_point.row:
        text = found.source[error.start_byte : error.end_byte]
        if found.is_indented or not error.is_error or b"{" in text:
            return False
    is_in_it = start + symbol.start <= error.start_byte and error.end_byte < start + symbol.end
    return symbol.kind == "function" and is_in_it


def _ends_in_its_place(found: Outline, owner: Owner) -> bool:
    """Whether a function's last row is the first as far out as its head."""
    place, symbol = found.places[owner.place], found.symbol(owner)
    head = found.source.rfind(b"\n", 0, place.start + symbol.start) + 1
    indent = _indent(found.source, head)
    last = found.starts[place.row + symbol.last]
    if last <= head:
        return True
    inside = found.source[found.source.find(b"\n", head) + 1 : last]
    if found.is_indented:
        return re.search(rb"^[ \t]{0,%d}[^\s]" % indent, inside, re.MULTILINE) is None
    if symbol.body < symbol.end and not (_CLOSER.match(found.source, last) and _indent(found.source, last) == indent):
        return False
    return re.search(rb"^[ \t]{0,%d}(?:\}|end\b)" % indent, inside, re.MULTILINE) is None


def _indent(source: bytes, start: int) -> int:
    """Blanks and tabs that a line begins with."""
    at = start
    while source[at : at + 1] in (b" ", b"\t"):
        at += 1
    return at - start
