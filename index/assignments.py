"""The constants of a Python module, of which its outline knows nothing: names in capitals that are given a value."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from core.chunking.heads import without_marks
from core.chunking.outline import Outline

if TYPE_CHECKING:
    from tree_sitter import Node

_CAPITALS = re.compile(r"_*[A-Z]")
"""How the name of a constant, or of a type that is made by an expression, begins."""


class Constant(NamedTuple):
    """A name at the top level of a module. Rows count from 0, both included, with comments above and a string below."""

    name: str
    first: int
    last: int
    doc: str


def constants(outline: Outline) -> list[Constant]:
    """Those of a module of Python, each where it is given its first value; none where no grammar has read it."""
    if outline.tree is None:
        return []
    found: dict[str, Constant] = {}
    nodes = outline.tree.root_node.named_children
    for place, (node, after) in enumerate(itertools.zip_longest(nodes, nodes[1:])):
        if name := _assigned(node):
            comments = _comments_above(nodes, place)
            doc = "\n".join(without_marks(_text(one)) for one in comments)
            first, last = (comments or [node])[0].start_point[0], node.end_point[0]
            if after is not None and after.start_point[0] == last + 1 and (below := _string(after)):
                doc, last = below, after.end_point[0]
            found.setdefault(name, Constant(name, first, last, doc))
    return list(found.values())


def _assigned(node: Node) -> str:
    """The name that a statement gives a value to; "" for any other statement."""
    inner = node.named_children[0] if node.type == "expression_statement" and node.named_children else None
    if inner is None or inner.type != "assignment" or inner.child_by_field_name("right") is None:
        return ""
    left = inner.child_by_field_name("left")
    name = _text(left) if left is not None and left.type == "identifier" else ""
    return name if _CAPITALS.match(name) else ""


def _comments_above(nodes: list[Node], place: int) -> list[Node]:
    """The comments in lines of their own that end right above a statement."""
    first = place
    while first and nodes[first - 1].type == "comment" and _follows(nodes, first):
        first -= 1
    return nodes[first:place]


def _follows(nodes: list[Node], place: int) -> bool:
    above = nodes[place - 1]
    behind = place > 1 and nodes[place - 2].end_point[0] == above.start_point[0]  # a comment at the end of a statement
    return above.start_point[0] == nodes[place].start_point[0] - 1 and not behind


def _string(node: Node) -> str:
    """The text of a statement that is a string alone."""
    inner = node.named_children[0] if node.type == "expression_statement" and node.named_children else None
    if inner is None or inner.type != "string":
        return ""
    return "".join(_text(part) for part in inner.named_children if part.type == "string_content")


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
