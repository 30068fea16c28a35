"""Attributes and comments before a definition that belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.chunking.grammars import node_ids
from core.code.languages import LANGUAGES

if TYPE_CHECKING:
    from tree_sitter import Node


class Leaders:
    """Tells what leads a definition in one language."""

    def __init__(self, language: str) -> None:
        leading = LANGUAGES[language].leading
        self._leading = node_ids(language, leading)
        self._comments = node_ids(language, [name for name in leading if "comment" in name])
        self._text = re.compile(LANGUAGES[language].leading_text.encode())

    def pieces(self, root: Node, source: bytes) -> Iterator[tuple[Node, Node]]:
        """Each piece directly in a node, behind the first node that leads it."""
        pending: list[Node] = []
        previous: Node | None = None
        for node in root.children:
            if pending and not self._adjoins(pending[-1], node):
                pending = []
            if node.kind_id not in self._leading:
                yield (pending[0] if pending else node), node
                pending = []
            elif pending or (self._leads(node, source) and not _trails(node, previous)):
                pending.append(node)
            previous = node

    def first(self, whole: Node, source: bytes, start: int) -> Node:
        """The node that a person would say the symbol starts at: its first attribute or doc comment.

        Nothing before `start`, where the unit begins, is looked at.
        """
        if not self._leading or not _may_be_led(source, start, whole.start_byte):
            return whole
        leaders: list[Node] = []
        after = whole
        while (
            after.start_byte > start
            and (before := after.prev_sibling) is not None
            and before.kind_id in self._leading
            and self._adjoins(before, after)
        ):
            leaders.append(before)
            after = before
        while leaders and (first := leaders[-1]).start_byte > start:
            if self._leads(first, source) and not _trails(first, first.prev_sibling):
                break
            leaders.pop()
        return leaders[-1] if leaders else whole

    def _leads(self, node: Node, source: bytes) -> bool:
        return self._text.match(source, node.start_byte) is not None

    def _adjoins(self, before: Node, node: Node) -> bool:
        """True unless `before` is a comment that an empty line sets apart from `node`."""
        if before.kind_id not in self._comments:
            return True
        end = before.end_point
        return node.start_point.row - end.row <= (1 if end.column else 0)


def _may_be_led(source: bytes, start: int, at: int) -> bool:
    """False if the line before is surely neither an attribute nor a comment: asking the tree is slow."""
    end = source.rfind(b"\n", start, at)
    if end < 0 or not source[end:at].isspace():
        return at > start
    line = source[max(source.rfind(b"\n", start, end) + 1, start) : end].strip()
    return not line.endswith((b"{", b"}", b";", b",")) or line.startswith((b"/", b"*", b"#", b"@", b"-"))


def _trails(comment: Node, before: Node | None) -> bool:
    """True where a comment stands behind something on its line."""
    if before is None:
        return False
    end = before.end_point
    return end.column > 0 and end.row == comment.start_point.row
