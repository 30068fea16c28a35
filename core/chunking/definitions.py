"""The symbols in a piece of a tree: which nodes define them, where they begin, what they say of themselves."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from core.chunking.grammars import node_ids, query
from core.chunking.heads import comments_of, names, signature_of, without_comments, without_marks
from core.chunking.leaders import Leaders
from core.chunking.outline import Symbol
from core.code.languages import LANGUAGES, SYMBOL_KINDS, Language
from core.code.test_marks import Marks, Where

if TYPE_CHECKING:
    from tree_sitter import Node

HEADS_KEPT = 1 << 13
_KINDS = frozenset(SYMBOL_KINDS)
_ADORNMENTS = ("decorator", "comment", "template_parameter_list", "requires_clause")
"""What a wrapper may hold besides its definition."""


class Definitions:
    """Finds the symbols of one language."""

    def __init__(self, language: str, leaders: Leaders, marks: Marks) -> None:
        from tree_sitter import QueryCursor

        self._language: Language = LANGUAGES[language]
        symbols = query(language, of_comments=False)
        self._cursor, self._head_cursor = QueryCursor(symbols), QueryCursor(symbols)
        self._wrappers = node_ids(language, self._language.wrappers)
        self._leaders, self._marks = leaders, marks
        self._about = functools.lru_cache(maxsize=HEADS_KEPT)(self._read_about)

    def within(self, node: Node, source: bytes, origin: tuple[int, int], where: Where) -> list[Symbol]:
        """All symbols in a node, outer before inner; `origin` is the row and the byte that its unit starts at."""
        found = _Findings(self._cursor.matches(node))
        # The order of matches is not defined.
        found.matches.sort(key=_rank)
        symbols: list[Symbol] = []
        around: list[Where] = []
        last = -1
        open_symbols: list[int] = []
        for definition, kind, captures in found.matches:
            if definition.id == last:
                continue  # two patterns fit
            last = definition.id
            while open_symbols and symbols[open_symbols[-1]].end <= definition.start_byte - origin[1]:
                open_symbols.pop()
            outer = open_symbols[-1] if open_symbols else -1
            if outer >= 0 and self._is_local(kind, captures, symbols[outer].kind):
                continue
            if outer >= 0 and _is_same(symbols[outer], kind, captures, origin[1]):
                continue
            here = around[outer] if outer >= 0 else where
            symbol = self._symbol(definition, kind, captures, source, found.docs, origin, here)
            if found.identities:
                own = found.identities.get(definition.start_byte, symbols[outer].identity if outer >= 0 else "")
                symbol = symbol._replace(identity=own)
            symbols.append(self._in_scope(symbol, symbols, outer))
            around.append(self._marks.inside(kind, here, is_test=symbol.is_test))
            open_symbols.append(len(symbols) - 1)
        return symbols

    def before(self, body: Node, node: Node, source: bytes, origin: tuple[int, int], where: Where) -> Symbol | None:
        """The symbol that a node with this body defines itself; None where its head defines others too."""
        self._head_cursor.set_byte_range(node.start_byte, body.start_byte)
        found = _Findings(self._head_cursor.matches(node))
        if len(found.matches) != 1 or found.matches[0][0].id != node.id:
            return None
        return self._symbol(*found.matches[0], source, found.docs, origin, where)

    def unwrapped(self, node: Node) -> Node:
        """What a decorator, an `export` or the like is around."""
        inner = node
        while inner.kind_id in self._wrappers and inner.named_children:
            inner = inner.named_children[-1]
        return inner

    def _is_local(self, kind: str, captures: Mapping[str, list[Node]], outer: str) -> bool:
        """True for a variable or a value in a function; in C++ many look like prototypes: `Lock lock(mutex);`."""
        is_prototype = kind == "function" and "body" not in captures and self._language.preprocessor == "macros"
        is_variable = outer in ("function", "constant") and (kind == "constant" or is_prototype)
        return is_variable or (outer == "function" and "_local" in captures)

    def _in_scope(self, symbol: Symbol, symbols: Sequence[Symbol], outer: int) -> Symbol:
        """The symbol inside the one with the number `outer`, if that is not -1."""
        if outer < 0:
            return symbol
        name = f"{symbols[outer].qualified_name}{self._language.separator}{symbol.qualified_name}"
        return symbol._replace(parent=outer, qualified_name=name)

    def _symbol(
        self,
        definition: Node,
        kind: str,
        captures: dict[str, list[Node]],
        source: bytes,
        docs: Mapping[int, Node],
        origin: tuple[int, int],
        where: Where,
    ) -> Symbol:
        """A symbol as if it lay in no other; `origin` is the row and the byte of its unit."""
        row, start = origin
        whole = self._whole(definition) if self._wrappers else definition
        first = self._leaders.first(whole, source, start)
        whole_start = whole.start_byte
        final = _without_last_comments(whole, source) if self._language.indented else whole
        end_byte, end = final.end_byte, final.end_point
        has_body = "body" in captures
        body = captures["body"][0].start_byte if has_body else end_byte
        name, own_name = names(kind, captures, source, self._language.separator)
        doc = docs.get(body)
        signature, comment, is_test = self._about(
            source[first.start_byte : whole_start],
            source[whole_start:body],
            definition.start_byte - whole_start,
            (doc.text or b"") if doc else None,
            kind,
            has_body,
            where,
        )
        whole_row = whole.start_point.row
        return Symbol(
            kind,
            name,
            own_name,
            -1,
            first.start_point.row - row,
            (whole_row if kind in ("impl", "section") else captures["name"][0].start_point.row) - row,
            max(end.row - (0 if end.column else 1), whole_row) - row,
            whole_start - start,
            body - start,
            end_byte - start,
            signature,
            comment,
            is_test,
        )

    def _read_about(
        self, lead: bytes, head: bytes, definition: int, doc: bytes | None, kind: str, has_body: bool, where: Where
    ) -> tuple[str, str, bool]:
        """(signature, doc, whether it is a test) from the text before a symbol's body."""
        text = lead.decode(errors="replace")
        own = head[definition:].decode(errors="replace")
        if self._language.has_c_comments:
            own = without_comments(own)
        signature = signature_of(own, kind, has_body=has_body)
        comment = without_marks(comments_of(text) if doc is None else doc.decode(errors="replace"))
        is_test = self._marks.is_test(text + head.decode(errors="replace"), signature, comment, where)
        return signature, comment, is_test

    def _whole(self, definition: Node) -> Node:
        """The definition with its decorators, its `export` and the like."""
        whole = definition
        while (outer := whole.parent) is not None and outer.kind_id in self._wrappers:
            if _is_among_others(whole):
                break  # a group of several
            whole = outer
        return whole


class _Findings:
    """What is found in a unit, in bytes of the file."""

    def __init__(self, matches: Iterable[tuple[int, dict[str, list[Node]]]]) -> None:
        """Take in the matches of the query."""
        self.matches: list[tuple[Node, str, dict[str, list[Node]]]] = []
        self.identities: dict[int, str] = {}
        """By the first byte of what they are of."""
        self.docs: dict[int, Node] = {}
        """Docstrings by the first byte of the body that they are in."""
        for _, captures in matches:
            for name, nodes in captures.items():
                if name in _KINDS:
                    self.matches.append((nodes[0], name, captures))
                elif name == "doc" and nodes[0].parent and nodes[0].parent.parent:
                    self.docs[nodes[0].parent.parent.start_byte] = nodes[0]
                elif name == "identity":
                    self.identities[captures["owner"][0].start_byte] = (nodes[0].text or b"").decode(errors="replace")
                elif name == "identity.other":
                    own = (nodes[0].text or b"").decode(errors="replace")
                    self.identities.setdefault(captures["owner"][0].start_byte, own)


def _is_among_others(node: Node) -> bool:
    """True where more than comments and the like stands beside a node. Looked for from both ends, so that a long group
    is not walked for each of its members.
    """
    before, after = node.prev_named_sibling, node.next_named_sibling
    while before is not None and before.type in _ADORNMENTS:
        before = before.prev_named_sibling
    while after is not None and after.type in _ADORNMENTS:
        after = after.next_named_sibling
    return before is not None or after is not None


def _is_same(outer: Symbol, kind: str, captures: Mapping[str, list[Node]], start: int) -> bool:
    """True for `function readFile() {` in `exports.read = function readFile() {`: one definition with two names."""
    has_its_body = "body" in captures and captures["body"][0].start_byte - start == outer.body
    return has_its_body and kind == outer.kind and kind in ("function", "class")


def _rank(match: tuple[Node, str, dict[str, list[Node]]]) -> tuple[int, int, bool, bool, bool, int, int]:
    """Outer before inner; of several matches of one node, the most specific, then that with the first body."""
    node, kind, captures = match
    special = "scope" not in captures, "_special" not in captures, "body" not in captures
    body = captures["body"][0].start_byte if "body" in captures else 0
    return node.start_byte, -node.end_byte, *special, SYMBOL_KINDS.index(kind), body


def _without_last_comments(whole: Node, source: bytes) -> Node:
    """The node that a definition ends with: comments after its last statement are in its tree, not part of it."""
    line = source[source.rfind(b"\n", whole.start_byte, whole.end_byte) + 1 : whole.end_byte]
    if not line.lstrip().startswith(b"#"):
        return whole
    final = whole
    while parts := [child for child in final.children if child.type != "comment"]:
        final = parts[-1]
    return final
