"""Expressions as chains: a name and what is reached from it, such as `self.app.run()`.

A chain is text whose steps are parted by dots: a step may end with `()`, the result of a call, or `[]`, an element. The
chain LITERAL stands for what the language brings; an expression of which nothing is known has no chain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

LITERAL = "''"
CALL, ELEMENT = "()", "[]"
MOST_STEPS = 12
"""Of a chain; of a longer one nothing is known."""
MOST_OPTIONS = 4
MOST_TYPES = 6
"""Names of one type."""
MOST_TYPE_BYTES = 500
_NAMES = {
    *("identifier", "type_identifier", "field_identifier", "property_identifier", "package_identifier", "self"),
    *("this", "super", "crate", "private_property_identifier", "shorthand_property_identifier", "name"),
}
_MEMBERS = {
    "attribute": ("object", "attribute"), "member_expression": ("object", "property"),
    "field_expression": ("value", "field"), "selector_expression": ("operand", "field"),
    "field_access": ("object", "field"), "scoped_identifier": ("path", "name"),
    "scoped_type_identifier": ("path", "name"), "qualified_type": ("package", "name"),
    "method_invocation": ("object", "name"),
}  # fmt: skip
"""Nodes that reach for a name in something: the fields with what they reach into, and with the name."""
_CALLS = {
    "call": "function", "call_expression": "function", "new_expression": "constructor",
    "object_creation_expression": "type", "struct_expression": "name", "composite_literal": "type",
}  # fmt: skip
_ELEMENTS = {"subscript": "value", "subscript_expression": "object", "index_expression": ""}
_THROUGH = {
    *("await", "await_expression", "parenthesized_expression", "reference_expression", "try_expression"),
    *("unary_expression", "generic_function", "non_null_expression", "generic_type", "pointer_type", "reference_type"),
    *("dereference_expression", "as_expression", "satisfies_expression", "argument", "type"),
}
_OPTIONS = {
    "boolean_operator", "conditional_expression", "ternary_expression", "named_expression", "binary_expression",
    "if_expression", "else_clause", "block",
}  # fmt: skip
_OF_LANGUAGE = re.compile(
    r"literal$|comprehension$|^(?:string|concatenated_string|template_string|integer|float|number|true|false"
    r"|list|dictionary|tuple|set|array|object|regex|generator_expression|comparison_operator|not_operator"
    r"|binary_operator|range_expression|tuple_expression|array_expression)$"
)
"""What is not of this repository. `None` says nothing: a variable that begins with it will be something else."""
_TYPE_NAME = re.compile(r"[A-Za-z_]\w*(?:(?:\.|::)[A-Za-z_]\w*)*")
_NO_TYPE = re.compile(r"\b(?:Callable|Literal|Fn|FnMut|FnOnce)\b|=>")
_CLASS_ITSELF = re.compile(r"^\s*(?:\w+\.)?[tT]ype\[")


def chains(node: Node | None) -> list[str]:
    """What an expression may be; [] where nothing is known."""
    return list(dict.fromkeys(_options(node, MOST_OPTIONS)))[:MOST_OPTIONS] if node is not None else []


def _options(node: Node, depth: int) -> Iterator[str]:
    while node.type in ("parenthesized_expression", "await", "await_expression") and node.named_children:
        node = node.named_children[0]
    if node.type not in _OPTIONS:
        if found := chain(node):
            yield found
    elif depth:
        parts = node.named_children
        if node.type == "conditional_expression" and len(parts) == 3:
            parts = [parts[0], parts[2]]
        elif node.type in ("ternary_expression", "if_expression"):
            parts = parts[1:]
        elif node.type in ("named_expression", "block", "else_clause"):
            parts = parts[-1:]
        for part in parts[:MOST_OPTIONS]:
            yield from _options(part, depth - 1)


def chain(node: Node | None) -> str:
    """The chain of an expression, "" where it has none."""
    steps: list[str] = []
    mark = ""
    while node is not None and len(steps) < MOST_STEPS:
        kind = node.type
        if kind in _NAMES:
            return ".".join(reversed([*steps, _text(node) + mark]))
        if kind in _MEMBERS:
            inner, name = _MEMBERS[kind]
            last = node.child_by_field_name(name)
            if last is None:
                return ""
            outer = node.child_by_field_name(inner) or node.child_by_field_name("scope")
            mark = CALL + mark if kind == "method_invocation" else mark
            steps.append(_text(last) + mark)
            mark = ""
            if outer is None:
                return ".".join(reversed(steps))
            node = outer
        elif kind in _CALLS:
            mark = CALL + mark
            node = node.child_by_field_name(_CALLS[kind])
        elif kind in _ELEMENTS:
            mark = ELEMENT + mark
            field = _ELEMENTS[kind]
            node = (node.child_by_field_name(field) if field else None) or node.named_child(0)
        elif kind in _THROUGH:
            node = node.child_by_field_name("function") or node.named_child(0)
        elif _OF_LANGUAGE.search(kind):
            return ".".join(reversed([*steps, LITERAL + mark]))
        else:
            return ""
    return ""


def types(text: str) -> list[str]:
    """The chains of what a type names: what its values are made of."""
    if len(text) > MOST_TYPE_BYTES or _NO_TYPE.search(text):
        return []
    made = "" if _CLASS_ITSELF.match(text) else CALL
    names = dict.fromkeys(name.replace("::", ".") for name in _TYPE_NAME.findall(text))
    return [name + made for name in names if name not in ("type", "Type", "mut", "dyn", "impl", "None")][:MOST_TYPES]


def text_of(node: Node) -> str:
    """The text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def _text(node: Node) -> str:
    """A name in one word."""
    return re.sub(r"[^\w#$!]", "", text_of(node)[:200]) or "?"
