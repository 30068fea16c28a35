"""Reading a text for the map: its outline, and what a query of its language finds in the same tree."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.chunking import parsing
from core.chunking.encodings import alone
from core.chunking.filters import FileFilters
from core.chunking.outline import Owner
from core.code.content import language_in
from core.code.languages import LANGUAGES, language_of
from core.code.test_marks import Marks
from core.git.encodings import LEAST_CONFIDENCE, is_binary
from core.ranking.symbols import FUNCTIONS
from thoughts.mapping.chains import CALL, ELEMENT, chain, chains, text_of, types
from thoughts.mapping.imports import imports_in
from thoughts.mapping.reading import Binding, Call, Function, Reading, Symbol

if TYPE_CHECKING:
    from tree_sitter import Node, QueryCursor

    from core.chunking.outline import Outline

MAX_BYTES = 1_000_000
"""Of a file; a larger one is data."""
MAX_LINE_BYTES = 10_000
QUERIES = {
    "python": "python", "rust": "rust", "javascript": "javascript", "typescript": "typescript", "tsx": "typescript",
    "go": "go", "java": "java",
}  # fmt: skip
"""The file of each language that the map knows."""
HOLDERS = {"class", "struct", "enum", "trait", "interface", "impl", "module", "type"}
"""Kinds of symbols that others are members of."""
_FOLDER = Path(__file__).parent / "queries"
_FILTERS = FileFilters(max_line_bytes=MAX_LINE_BYTES)
_PROPERTY = re.compile(r"@(?:[\w.]*\.)?(?:\w*property)\b")
_STATIC, _ON_CLASS, _FIXTURE = (
    re.compile(r"@staticmethod\b"),
    re.compile(r"@classmethod\b"),
    re.compile(r"@[\w.]*fixture\b"),
)
_IMPLIED = {
    "with": ("__enter__", "__aenter__"), "item": ("__iter__", "__aiter__"), "element": ("__getitem__",),
    "changed": ("__setitem__",), "container": ("__contains__",),
}  # fmt: skip
"""What Python calls on an object that stands in a place, and what where it is `async`."""
_MAYBE_ASYNC = ("with_statement", "for_statement", "for_in_clause")
_ANY_NUMBER = ("splat", "rest", "variadic", "spread")
_BESIDES = {"self_parameter", "comment", "line_comment", "block_comment", "keyword_separator", "positional_separator"}


def is_known(path: str) -> bool:
    """Whether the map reads a file, by its path: vendored, generated and minified ones are left out."""
    return language_of(path) in QUERIES and _FILTERS.path_reason(path) is None


@functools.lru_cache(maxsize=1 << 16)
def kind_of(path: str) -> str:
    """All that a path says of how its text is read; a blob reads the same at all paths of one kind."""
    language = language_of(path)
    return f"{language} {_marks(language).around(path):d}"


@functools.cache
def _marks(language: str) -> Marks:
    return Marks(LANGUAGES[language])


def read(source: bytes, path: str) -> Reading:
    """What a text says; an empty reading where it is none that a person wrote, or cannot be parsed at all."""
    if encoding := alone(source, LEAST_CONFIDENCE).encoding:
        source = encoding.to_utf8(source)
    language = language_in(path, source)
    if language not in QUERIES or is_binary(source) or _FILTERS.is_generated(source):
        return Reading()
    if len(source) > MAX_LINE_BYTES and max(map(len, source.split(b"\n"))) > MAX_LINE_BYTES:
        return Reading()
    outline = parsing.outline(source, language, path)
    return Reading() if outline is None or outline.tree is None else _Reader(outline, language).read()


@functools.cache
def _query(language: str) -> QueryCursor:
    from tree_sitter import Query, QueryCursor

    from core.chunking.grammars import parser

    grammar = parser(language).language
    assert grammar is not None
    return QueryCursor(Query(grammar, (_FOLDER / f"{QUERIES[language]}.scm").read_text(encoding="utf-8")))


class _Reader:
    def __init__(self, outline: Outline, language: str) -> None:
        self._outline, self._language = outline, language
        self._owners = list(outline.owners())
        self._numbers = {owner: number for number, owner in enumerate(self._owners)}
        self._found = Reading(language, [self._symbol(owner) for owner in self._owners])
        self._is_script = language in ("javascript", "typescript", "tsx")

    def read(self) -> Reading:
        """Everything that the query finds, in the order of the file."""
        assert self._outline.tree is not None
        for number, symbol in enumerate(self._found.symbols):
            if symbol.kind in FUNCTIONS:
                self._found.functions[number] = Function(self._self_name(), is_fixture=False)
        matches = [captures for _, captures in _query(self._language).matches(self._outline.tree.root_node)]
        for captures in matches:  # receivers first: what is bound to them belongs to their class
            if "parameters" in captures:
                self._take_parameters(captures["parameters"][0])
        for captures in matches:
            self._take(captures)
        order = self._found
        order.calls.sort(key=lambda one: (one.line, one.chain))
        return order

    def _self_name(self) -> str:
        return "this" if self._is_script or self._language == "java" else "self" if self._language == "rust" else ""

    def _symbol(self, owner: Owner) -> Symbol:
        found, place = self._outline.symbol(owner), self._outline.places[owner.place]
        parent = self._outline.parent(owner)
        first, last = self._outline.rows(owner)
        around = self._numbers[parent] if parent is not None else -1
        line = place.row + found.definition + 1
        return Symbol(found.qualified_name, found.name, found.kind, around, first + 1, line, last + 1, found.is_test)

    def _owner(self, node: Node) -> int:
        """The symbol that a node is in; decorators are run by what is around theirs."""
        row = node.start_point.row
        owner = self._outline.owner(row)
        number = self._numbers[owner] if owner is not None else -1
        while number >= 0 and row + 1 < self._found.symbols[number].line and self._language == "python":
            number = self._found.symbols[number].parent
        return number

    def _holder(self, number: int) -> int:
        """The class that a symbol is a member of, -1 for none."""
        parent = self._found.symbols[number].parent if number >= 0 else -1
        return parent if parent >= 0 and self._found.symbols[parent].kind in HOLDERS else -1

    def _take(self, captures: dict[str, list[Node]]) -> None:
        for name in captures:
            node = captures[name][0]
            if name == "call":
                self._take_call(node, captures.get("arguments"))
            elif name == "get":
                self._take_get(node)
            elif name in _IMPLIED and self._language == "python" and not (name == "element" and _is_target(node)):
                self._take_implied(node, _IMPLIED[name])
            elif name == "base":
                self._take_base(node)
            elif name in ("bind", "field"):
                self._bind(node, captures, is_field=name == "field")
            elif name in ("import", "module"):
                self._found.imports += imports_in(node, self._language, self._owner(node))
            elif name in ("returns", "returned"):
                self._take_returned(node, is_type=name == "returns")

    def _take_call(self, node: Node, arguments: list[Node] | None) -> None:
        found = chain(node)
        found = found.removesuffix(CALL) if node.type == "method_invocation" else found
        if not found:
            last = node.child_by_field_name("property") or node.child_by_field_name("attribute")
            last = last or node.child_by_field_name("field") or node.child_by_field_name("name")
            if last is None:
                return
            found = f"?.{text_of(last)[:100]}"
        count = _count(arguments[0]) if arguments else -1
        line = node.end_point.row + 1 if node.type != "method_invocation" else _line_of_name(node)
        self._found.calls.append(Call(found, line, self._owner(node), count))

    def _take_get(self, node: Node) -> None:
        outer = node.parent
        if outer is not None and outer.type == "call" and outer.child_by_field_name("function") == node:
            return
        if found := chain(node):
            self._found.calls.append(Call(found, node.end_point.row + 1, self._owner(node), is_get=True))

    def _take_implied(self, node: Node, methods: Sequence[str]) -> None:
        """What Python calls without saying so, of a class that has it."""
        inner = node.named_children[0] if node.type == "as_pattern" else node
        is_async = any(one.children[0].type == "async" for one in _around(node, 3) if one.type in _MAYBE_ASYNC)
        for one in chains(inner):
            for method in methods[1:] if is_async else methods[:1]:
                names = (method, method.replace("enter", "exit")) if "enter" in method else (method,)
                for name in names:
                    call = Call(f"{one}.{name}", node.start_point.row + 1, self._owner(node), is_get=True)
                    self._found.calls.append(call)

    def _take_base(self, node: Node) -> None:
        owner = self._owner(node)
        name = types(text_of(node))[:1] if self._language != "python" else [chain(node).removesuffix(ELEMENT)]
        if owner >= 0 and name and name[0]:
            self._found.bases.setdefault(owner, []).append(name[0].removesuffix(CALL))

    def _take_returned(self, node: Node, *, is_type: bool) -> None:
        function = self._found.functions.get(self._owner(node))
        if function is not None and is_type:
            function.returns = types(text_of(node))
        elif function is not None:
            function.returned = list(dict.fromkeys([*function.returned, *chains(node)]))[:6]

    def _take_parameters(self, node: Node) -> None:
        """How many arguments a function takes, and what the object is called that it is called on."""
        number = self._owner(node)
        function = self._found.functions.get(number)
        if function is None:
            return
        if self._language == "go":
            self._take_receiver(node, function)
        parameters = [one for one in node.named_children if one.type not in _BESIDES]
        if self._language == "python":
            lead = self._lead(node)
            function.is_property = bool(_PROPERTY.search(lead))
            function.is_fixture = bool(_FIXTURE.search(lead))
            function.on_class = bool(_ON_CLASS.search(lead))
            if self._holder(number) >= 0 and not _STATIC.search(lead) and parameters:
                function.receiver = text_of(parameters[0]).split(":")[0].strip()
                parameters = parameters[1:]
        needed = [one for one in parameters if not ("default" in one.type or "optional" in one.type or _is_any(one))]
        function.least = len(needed)
        function.most = -1 if any(map(_is_any, parameters)) or self._language == "go" else len(parameters)

    def _lead(self, node: Node) -> str:
        """The decorators of a function, by its parameters."""
        whole = node.parent.parent if node.parent is not None else None
        if whole is None or whole.type != "decorated_definition":
            return ""
        marks = itertools.takewhile(lambda one: one.type in ("decorator", "comment"), whole.named_children)
        return "\n".join(text_of(one)[:300] for one in marks)

    @staticmethod
    def _take_receiver(node: Node, function: Function) -> None:
        receiver = node.parent.child_by_field_name("receiver") if node.parent is not None else None
        parameter = receiver.named_children[0] if receiver is not None and receiver.named_children else None
        name = parameter.child_by_field_name("name") if parameter is not None else None
        function.receiver = text_of(name) if name is not None else ""

    def _bind(self, node: Node, captures: dict[str, list[Node]], *, is_field: bool) -> None:
        owner = self._owner(node)
        found: list[str] = []
        if "type" in captures:
            found = types(text_of(captures["type"][0]).removeprefix(":"))
        if "value" in captures and (not found or found == ["var()"]):
            found = chains(captures["value"][0])
        if "item" in captures and not found:
            found = [one + ELEMENT for one in chains(captures["item"][0])]
        is_parameter = node.parent is not None and "parameter" in node.parent.type and not found
        if is_field:
            holder = owner if owner >= 0 and self._found.symbols[owner].kind in HOLDERS else self._holder(owner)
            self._found.bindings.append(Binding(text_of(node), holder, found))
        elif node.type in ("attribute", "member_expression"):
            receiver, _, name = chain(node).partition(".")
            function = self._function_around(owner)
            if function is not None and receiver and receiver == function[1].receiver and "." not in name:
                self._found.bindings.append(Binding(name, self._holder(function[0]), found))
        elif node.type == "identifier":
            self._found.bindings.append(Binding(text_of(node), owner, found, is_parameter))
        else:  # a pattern of several
            names = _identifiers(node)
            known = found if len(names) == 1 else []
            self._found.bindings += [Binding(name, owner, known) for name in names]

    def _function_around(self, number: int) -> tuple[int, Function] | None:
        """The method that a symbol is or is in."""
        while number >= 0:
            if number in self._found.functions and self._holder(number) >= 0:
                return number, self._found.functions[number]
            number = self._found.symbols[number].parent
        return None


def _identifiers(node: Node) -> list[str]:
    """The names of a pattern, at most some."""
    found: list[str] = []
    left = [node]
    while left and len(found) < 20:
        one = left.pop()
        if one.type in ("identifier", "shorthand_property_identifier_pattern"):
            found.append(text_of(one))
        elif one.type not in ("attribute", "subscript", "member_expression"):
            left += reversed(one.named_children)
    return found


def _is_target(node: Node) -> bool:
    """Whether the element of something is set or deleted."""
    element, outer = itertools.islice(_around(node, 2), 2)
    return outer.type == "delete_statement" or outer.child_by_field_name("left") == element


def _around(node: Node, levels: int) -> Iterator[Node]:
    """The nodes around one, the innermost first."""
    outer = node.parent
    while outer is not None and levels:
        yield outer
        outer, levels = outer.parent, levels - 1


def _count(arguments: Node) -> int:
    """The number of arguments, -1 where it is not known."""
    found = [one for one in arguments.named_children if "comment" not in one.type]
    return -1 if any(map(_is_any, found)) or arguments.type == "template_string" else len(found)


def _is_any(node: Node) -> bool:
    parts: Sequence[Node] = [node, *node.named_children[:1]]
    return any(word in one.type for one in parts for word in _ANY_NUMBER)


def _line_of_name(node: Node) -> int:
    name = node.child_by_field_name("name")
    return (name or node).start_point.row + 1
