"""Outlines by tree-sitter: which nodes are symbols (queries/), where they begin, what they say of themselves.

Most units of a version are those of the version before, so what was found in a unit is remembered
by its content, and only new units are searched.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import re
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.chunking.carriage_returns import as_line_feeds, by_git_lines
from core.chunking.components import scripts_of
from core.chunking.heads import comments_of, names, signature_of, without_marks
from core.chunking.outline import Outline, Place, Symbol, Unit, unit_of
from core.chunking.preprocessor import is_misread, preprocessed
from core.chunking.repairs import repaired
from core.code.languages import LANGUAGES, SYMBOL_KINDS, Language
from core.code.test_marks import Marks, Where

if TYPE_CHECKING:
    from tree_sitter import Language as TreeLanguage
    from tree_sitter import Node, Parser, Tree

    from core.chunking.edits import Edit

UNITS_KEPT, VERDICTS_KEPT = 1 << 13, 1 << 16
MOST_EDITS = 100
"""With more, a version is parsed from scratch."""
MOST_DEPTH = 50
"""Of containers in containers that are searched one by one; deeper ones are searched whole."""
LARGE_UNIT, LARGE_NODE = 8192, 2048
"""Bytes from which on places to cut are looked for, in units and in the nodes inside them."""
_QUERIES = Path(__file__).resolve().parents[1] / "code" / "queries"
_KINDS = frozenset(SYMBOL_KINDS)
_ADORNMENTS = ("decorator", "comment", "template_parameter_list", "requires_clause")
"""What a wrapper may hold besides its definition."""


def outline(
    source: bytes, language: str, path: str, before: Outline | None = None, edits: Sequence[Edit] = ()
) -> Outline | None:
    """The outline of a file; None where tree-sitter can make nothing of it at all.

    `language` must have a wheel in `LANGUAGES`. Source with errors gives what could still be read.
    With the outline of the version `before`, and the edits since, most of a file need not be parsed.
    """
    scripts = None
    if LANGUAGES[language].has_scripts:
        language, scripts = scripts_of(as_line_feeds(source))
    return _reader(language).read(source, path, before, edits, scripts)


@functools.cache
def _reader(language: str) -> _SymbolReader:
    return _SymbolReader(language)


@functools.cache
def parser(language: str) -> Parser:
    """The tree-sitter parser of a language with a wheel."""
    from tree_sitter import Parser

    return Parser(_grammar(language))


@functools.cache
def _grammar(language: str) -> TreeLanguage:
    from tree_sitter import Language as Grammar

    one = LANGUAGES[language]
    return Grammar(getattr(importlib.import_module(one.wheel), one.entry)())


class _SymbolReader:
    """Finds the symbols of one language."""

    def __init__(self, language: str) -> None:
        from tree_sitter import Query

        self.language: Language = LANGUAGES[language]
        query = _QUERIES / f"{self.language.query or language}.scm"
        self._parser = parser(language)
        patterns = query.read_text(encoding="utf-8").splitlines()
        self._query = Query(_grammar(language), "\n".join(line for line in patterns if "@comment" not in line))
        self._comments = Query(_grammar(language), "\n".join(line for line in patterns if "@comment" in line))
        self._leading = _ids(_grammar(language), self.language.leading)
        self._comment_ids = _ids(_grammar(language), [name for name in self.language.leading if "comment" in name])
        self._wrappers = _ids(_grammar(language), self.language.wrappers)
        self._containers = _ids(_grammar(language), self.language.containers)
        self._too_deep = re.compile(self.language.too_deep.encode()) if self.language.too_deep else None
        self._depth = 0
        self._leading_text = re.compile(self.language.leading_text.encode())
        self._rest_of_file = _ids(_grammar(language), self.language.rest_of_file)
        self._marks = Marks(self.language)
        self._units: OrderedDict[Hashable, Unit] = OrderedDict()
        self._verdicts: dict[bytes, bool] = {}
        self._parsed = b""
        """The text that was parsed: the source, or what took its place."""
        self._about = functools.lru_cache(maxsize=UNITS_KEPT)(self._read_about)

    def read(
        self, source: bytes, path: str, before: Outline | None, edits: Sequence[Edit], scripts: bytes | None
    ) -> Outline | None:
        """The outline of a file; of one with scripts, these alone are parsed."""
        if self._too_deep and self._too_deep.search(source):
            return None
        text = as_line_feeds(source)
        found = Outline(source)
        found.has_carriage_returns = text is not source
        parsed, where = text if scripts is None else scripts, self._marks.around(path)
        tree = self._parse(found, before, edits) if parsed is source else self._parser.parse(parsed)
        if self._is_unprocessed(tree, text):
            changed = preprocessed(text, macros=self.language.preprocessor == "macros")
            if changed != text:
                parsed, tree = changed, self._parser.parse(changed)
        self._fill(found, tree, text, parsed, where)
        if found.has_error and self.language.kind == "code" and not self.language.from_root:
            found = self._mended(found, text, parsed, where)
        return found if found.tree and found.tree.root_node.type != "ERROR" else None

    def _mended(self, broken: Outline, text: bytes, parsed: bytes, where: Where) -> Outline:
        """An outline without what does not parse, if that leaves more to be found."""
        mended = repaired(parsed, self._parses, [one.encode() for one in self.language.long_quotes])
        if mended == parsed:
            return broken
        found = Outline(broken.source)
        found.has_carriage_returns = broken.has_carriage_returns
        self._fill(found, self._parser.parse(mended), text, mended, where)
        found.has_error = True
        is_lost = broken.tree is None or broken.tree.root_node.type == "ERROR"
        is_whole = not (found.tree and found.tree.root_node.has_error) and found.counts() == broken.counts()
        return found if is_lost or is_whole or found.counts() > broken.counts() else broken

    def _is_unprocessed(self, tree: Tree, source: bytes) -> bool:
        """True where a preprocessor must have run for the grammar to understand."""
        kind = self.language.preprocessor
        return bool(kind) and (tree.root_node.has_error or (kind == "macros" and is_misread(source)))

    def _parses(self, source: bytes) -> bool:
        """Whether source has no error; remembered, since most of a file is the same in its next version."""
        digest = hashlib.blake2b(source, digest_size=16).digest()
        if digest not in self._verdicts:
            opening = self.language.opening.encode()
            whole = source if opening in source else opening + b"\n" + source
            self._verdicts[digest] = not self._parser.parse(whole).root_node.has_error
            if len(self._verdicts) > VERDICTS_KEPT:
                del self._verdicts[next(iter(self._verdicts))]
        return self._verdicts[digest]

    def _fill(self, found: Outline, tree: Tree, text: bytes, parsed: bytes, where: Where) -> None:
        """Put into an outline what is in a tree; `parsed` is what was parsed instead of the text."""
        found.is_indented, found.has_error = self.language.indented, tree.root_node.has_error
        found.tree, found.comment_query = tree, self._comments
        self._parsed = parsed
        for first, node, rest in self._scopes(tree.root_node, text):
            unit = self._rest(first, node, rest, text, where) if rest else self._unit(first, node, text, where)
            if unit.symbols:
                found.places.append(Place(first.start_point.row, first.start_byte, unit))
        if found.has_carriage_returns:
            found.places = by_git_lines(found, text)

    def _scopes(self, root: Node, source: bytes) -> Iterator[tuple[Node, Node, list[tuple[Node, Node]]]]:
        """Each top-level piece, and what follows it where it is the namespace of all that follows."""
        scope: tuple[Node, Node, list[tuple[Node, Node]]] | None = None
        for first, node in self._pieces(root, source):
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

    def _parse(self, found: Outline, before: Outline | None, edits: Sequence[Edit]) -> Tree:
        """The tree of a version. What comes out must not depend on whether there was another to start from."""
        if (
            before is None
            or before.tree is None
            or before.has_error
            or before.has_carriage_returns
            or len(edits) > MOST_EDITS
            or not self.language.incremental
        ):
            return self._parser.parse(found.source)
        tree = before.tree.copy()
        for edit in reversed(edits):
            start, start_point = before.point(edit.old)
            old_end, old_end_point = before.point(edit.old + edit.removed)
            first, first_point = found.point(edit.new)
            last, last_point = found.point(edit.new + edit.added)
            # In the coordinates of a file in which the edits before this one are still to be made.
            new_end_point = (start_point[0] + last_point[0] - first_point[0], last_point[1])
            tree.edit(start, old_end, start + last - first, start_point, old_end_point, new_end_point)
        again = self._parser.parse(found.source, tree)
        root = again.root_node
        # How tree-sitter recovers from an error depends on what it started from.
        if root.has_error:
            return self._parser.parse(found.source)
        end = root.child(root.child_count - 1) if root.child_count else None
        return (
            again
            if end is None or found.has_point(end.start_byte, end.start_point)
            else self._parser.parse(found.source)
        )

    def _pieces(self, root: Node, source: bytes) -> Iterator[tuple[Node, Node]]:
        """Each top-level piece behind the first node that leads it."""
        if self.language.from_root:
            yield root, root
            return
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

    def _leads(self, node: Node, source: bytes) -> bool:
        return self._leading_text.match(source, node.start_byte) is not None

    def _adjoins(self, before: Node, node: Node) -> bool:
        """True unless `before` is a comment that an empty line sets apart from `node`."""
        if before.kind_id not in self._comment_ids:
            return True
        end = before.end_point
        return node.start_point.row - end.row <= (1 if end.column else 0)

    def _unit(self, first: Node, node: Node, source: bytes, where: Where) -> Unit:
        """What is in a piece. It must depend on nothing but the piece's content, since it is remembered by that."""
        digest = self._digest(first.start_byte, node.end_byte, source), node.kind_id, where
        unit = self._units.get(digest)
        if unit is not None:
            self._units.move_to_end(digest)
            return unit
        unit = self._container(first, node, source, digest, where) or self._search(first, node, source, digest, where)
        if not node.has_error:  # with errors, what is found may depend on what is around
            self._units[digest] = unit
            if len(self._units) > UNITS_KEPT:
                self._units.popitem(last=False)
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

    def _container(self, first: Node, node: Node, source: bytes, digest: Hashable, where: Where) -> Unit | None:
        """A type or module from the units in its body, most of which are known; None for other pieces."""
        inner = node
        while inner.kind_id in self._wrappers and inner.named_children:
            inner = inner.named_children[-1]
        is_container = inner.kind_id in self._containers and self._depth < MOST_DEPTH
        body = inner.child_by_field_name("body") if is_container else None
        if body is None or body.has_error:
            return None
        found = _Findings()
        self._collect(inner, found, end=body.start_byte)
        if len(found.matches) != 1 or found.matches[0][0].id != inner.id:
            return None
        row, start = first.start_point.row, first.start_byte
        own = self._symbol(*found.matches[0], source, found.docs, (row, start), where)
        symbols = self._with_members(own, self._pieces(body, source), source, (row, start), where)
        return unit_of(symbols, _cuts(node, row), digest)

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
                    f"{own.qualified_name}{self.language.separator}{one.qualified_name}",
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
        found = _Findings()
        self._collect(node, found)
        # The order of matches is not defined.
        found.matches.sort(key=_rank)
        symbols: list[Symbol] = []
        around: list[Where] = []
        row, start = first.start_point.row, first.start_byte
        last = -1
        open_symbols: list[int] = []
        for definition, kind, captures in found.matches:
            if definition.id == last:
                continue  # two patterns fit
            last = definition.id
            while open_symbols and symbols[open_symbols[-1]].end <= definition.start_byte - start:
                open_symbols.pop()
            outer = open_symbols[-1] if open_symbols else -1
            if outer >= 0 and symbols[outer].kind in ("function", "constant") and self._is_local(kind, captures):
                continue
            here = around[outer] if outer >= 0 else where
            symbol = self._symbol(definition, kind, captures, source, found.docs, (row, start), here)
            symbols.append(self._in_scope(symbol, symbols, outer))
            around.append(self._marks.inside(kind, here, is_test=symbol.is_test))
            open_symbols.append(len(symbols) - 1)
        return unit_of(symbols, _cuts(node, row), digest)

    def _is_local(self, kind: str, captures: Mapping[str, list[Node]]) -> bool:
        """True for a variable of a function; in C++ many look like prototypes: `Lock lock(mutex);`."""
        is_prototype = kind == "function" and "body" not in captures and self.language.preprocessor == "macros"
        return kind == "constant" or is_prototype

    def _in_scope(self, symbol: Symbol, symbols: Sequence[Symbol], outer: int) -> Symbol:
        """The symbol inside the one with the number `outer`, if that is not -1."""
        if outer < 0:
            return symbol
        name = f"{symbols[outer].qualified_name}{self.language.separator}{symbol.qualified_name}"
        return symbol._replace(parent=outer, qualified_name=name)

    def _collect(self, node: Node, found: _Findings, end: int | None = None) -> None:
        """What the query finds in a node, up to `end`."""
        from tree_sitter import QueryCursor

        cursor = QueryCursor(self._query)
        if end is not None:
            cursor.set_byte_range(node.start_byte, end)
        for _, captures in cursor.matches(node):
            found.add(captures)

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
        """A symbol as if it lay in no other; `origin` is the row and the byte that its unit starts at."""
        row, start = origin
        whole = self._whole(definition) if self._wrappers else definition
        first = self._first(whole, source, start)
        whole_start = whole.start_byte
        final = self._without_last_comments(whole, source) if self.language.indented else whole
        end_byte, end = final.end_byte, final.end_point
        has_body = "body" in captures
        body = captures["body"][0].start_byte if has_body else end_byte
        name, own_name = names(kind, captures, source, self.language.separator)
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
        signature = signature_of(head[definition:].decode(errors="replace"), kind, has_body=has_body)
        comment = without_marks(comments_of(text) if doc is None else doc.decode(errors="replace"))
        is_test = self._marks.is_test(text + head.decode(errors="replace"), signature, comment, where)
        return signature, comment, is_test

    @staticmethod
    def _without_last_comments(whole: Node, source: bytes) -> Node:
        """The node that a definition ends with: comments after its last statement are in its tree, not part of it."""
        line = source[source.rfind(b"\n", whole.start_byte, whole.end_byte) + 1 : whole.end_byte]
        if not line.lstrip().startswith(b"#"):
            return whole
        final = whole
        while parts := [child for child in final.children if child.type != "comment"]:
            final = parts[-1]
        return final

    def _whole(self, definition: Node) -> Node:
        """The definition with its decorators, its `export` and the like."""
        whole = definition
        while (outer := whole.parent) is not None and outer.kind_id in self._wrappers:
            # Looked at from both ends, so that a long group is not walked for each of its members.
            others = (whole.prev_named_sibling, whole.next_named_sibling)
            if any(other is not None and other.type not in _ADORNMENTS for other in others):
                break  # a group of several
            whole = outer
        return whole

    def _first(self, whole: Node, source: bytes, start: int) -> Node:
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


class _Findings:
    """What is found in a unit, in bytes of the file."""

    def __init__(self) -> None:
        self.matches: list[tuple[Node, str, dict[str, list[Node]]]] = []
        self.docs: dict[int, Node] = {}
        """Docstrings by the first byte of the body that they are in."""

    def add(self, captures: dict[str, list[Node]]) -> None:
        """Take in one match of the query."""
        for name, nodes in captures.items():
            if name in _KINDS:
                self.matches.append((nodes[0], name, captures))
            elif name == "doc" and nodes[0].parent and nodes[0].parent.parent:
                self.docs[nodes[0].parent.parent.start_byte] = nodes[0]


def _rank(match: tuple[Node, str, dict[str, list[Node]]]) -> tuple[int, int, bool, bool, bool, int, int]:
    """Outer before inner; of several matches of one node, the most specific, then that with the first body."""
    node, kind, captures = match
    special = "scope" not in captures, "_special" not in captures, "body" not in captures
    body = captures["body"][0].start_byte if "body" in captures else 0
    return node.start_byte, -node.end_byte, *special, SYMBOL_KINDS.index(kind), body


def _ids(grammar: TreeLanguage, names: Iterable[str]) -> frozenset[int]:
    """Numbers of kinds of nodes."""
    return frozenset(number for name in names if (number := grammar.id_for_node_kind(name, True)) is not None)


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
