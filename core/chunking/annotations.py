"""Annotations where a grammar cannot tell a declaration from an expression.

Kotlin's grammar takes some classes with annotations for expressions, without an error: `class A { … }` is then a call
of `A` with a block, and the class is lost. With comments in place of the annotations it reads them right; every byte
and row stays where it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Tree

_DECLARES = re.compile(
    rb"(?:\s|//[^\n]*|/\*.*?\*/)*(?:\w+\s+)*?(?:class|interface|object|fun|typealias)\s+[\w`]", re.DOTALL
)
_NOT_BREAKS = re.compile(rb"[^\r\n]")
_LEAST = len(b"/**/")


def as_comments(tree: Tree, source: bytes) -> bytes:
    """The source with comments for annotations of what was taken for an expression; the very same if there is none."""
    out = bytearray(source)
    for node in tree.root_node.children:
        if node.type == "annotated_expression":
            annotations = list(_annotations(node))
            if _DECLARES.match(source, annotations[-1].end_byte, node.end_byte):
                for one in annotations:
                    out[one.start_byte : one.end_byte] = _comment(source, one.start_byte, one.end_byte)
    return source if out == source else bytes(out)


def _comment(source: bytes, start: int, end: int) -> bytes:
    """As long as what it stands for; spaces where that is too short and more follows on its line."""
    text = _NOT_BREAKS.sub(b" ", source[start:end])
    if len(text) >= _LEAST:
        return b"/*" + text[2:-2] + b"*/"
    return b"//" + text[2:] if source[end : end + 1] in b"\r\n" else text


def _annotations(node: Node) -> Iterator[Node]:
    """Of an expression, and of what stands in it behind an annotation of its own."""
    for child in node.children:
        if child.type == "annotation":
            yield child
        elif child.type == "annotated_expression":
            yield from _annotations(child)
