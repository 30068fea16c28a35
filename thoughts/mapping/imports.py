"""Imports as each language writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from thoughts.mapping.chains import text_of
from thoughts.mapping.reading import Import

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_DEEP = 20
"""Levels of a `use` of Rust."""
_FUNCTIONS = {"function_definition", "function_item", "function_declaration", "method_definition", "arrow_function"}
Found = Iterator[tuple[str, str, str]]
"""(module, name, alias)"""


def imports_in(node: Node, language: str, owner: int) -> list[Import]:
    """What a statement that imports brings in."""
    line, is_late = node.start_point.row + 1, _is_late(node)
    return [Import(*one, line, owner, is_late) for one in _LANGUAGES[language](node)]


def _is_late(node: Node) -> bool:
    outer = node.parent
    while outer is not None:
        if outer.type in _FUNCTIONS:
            return True
        if outer.type == "if_statement" and "TYPE_CHECKING" in text_of(outer)[:80]:
            return True
        outer = outer.parent
    return text_of(node)[:11] in ("import type", "export type")


def _python(node: Node) -> Found:
    module = node.child_by_field_name("module_name")
    if module is not None:
        for child in node.named_children:
            if child.type == "wildcard_import":
                yield text_of(module), "*", ""
    for one in node.children_by_field_name("name"):
        name, alias = one.child_by_field_name("name") or one, one.child_by_field_name("alias")
        if module is not None:
            yield _word(module), text_of(name), text_of(alias or name)
        elif alias is not None:
            yield text_of(name), "", text_of(alias)
        else:  # `import a.b` makes `a` known
            yield text_of(name), "", ""


def _rust(node: Node) -> Found:
    if node.type == "identifier":  # `mod name;`
        yield "self", text_of(node), text_of(node)
    else:
        yield from _use(node, "", MOST_DEEP)


def _use(node: Node, before: str, depth: int) -> Found:
    if node.type == "use_list" and depth:
        for one in node.named_children:
            yield from _use(one, before, depth - 1)
    elif node.type == "scoped_use_list" and depth:
        path, inner = node.child_by_field_name("path"), node.child_by_field_name("list")
        if inner is not None:
            yield from _use(inner, _joined(before, _word(path) if path is not None else ""), depth - 1)
    elif node.type == "use_as_clause":
        path, alias = node.child_by_field_name("path"), node.child_by_field_name("alias")
        if path is not None and alias is not None:
            yield *_parted(_joined(before, _word(path))), text_of(alias)
    elif node.type == "use_wildcard":
        yield _joined(before, _word(node).removesuffix("*").removesuffix("::")), "*", ""
    elif node.type in ("identifier", "scoped_identifier", "self", "crate", "super"):
        module, name = _parted(_joined(before, _word(node)))
        yield module, name, name or module.rpartition("::")[2]


def _joined(before: str, path: str) -> str:
    return f"{before}::{path}" if before and path else before or path


def _parted(path: str) -> tuple[str, str]:
    """(module, name); `a::self` is the module a."""
    module, _, name = path.rpartition("::")
    return (module, "") if name == "self" and module else (module or path, name if module else "")


def _script(node: Node) -> Found:
    source = node.child_by_field_name("source")
    if source is None:
        return
    module = text_of(source).strip("\"'`")
    found = False
    for one in _below(node):
        found = True
        if one.type in ("import_specifier", "export_specifier"):
            name, alias = one.child_by_field_name("name"), one.child_by_field_name("alias")
            if name is not None:
                yield module, text_of(name), text_of(alias or name)
        elif one.type in ("namespace_import", "namespace_export"):
            yield module, "", text_of(one.named_children[-1]) if one.named_children else ""
        else:
            yield module, "default", text_of(one)
    if not found:
        yield module, "*" if node.type == "export_statement" else "", ""


def _below(node: Node) -> Iterator[Node]:
    """The names that a statement of JavaScript brings."""
    for child in node.named_children:
        if child.type in ("import_clause", "named_imports", "export_clause"):
            for one in child.named_children:
                if one.type == "named_imports":
                    yield from one.named_children
                else:
                    yield one
        elif child.type == "namespace_export":
            yield child


def _go(node: Node) -> Found:
    path, alias = node.child_by_field_name("path"), node.child_by_field_name("name")
    if path is not None:
        module = text_of(path).strip('"`')
        last = re.sub(r"/v\d+$", "", module).rpartition("/")[2]
        name = text_of(alias) if alias is not None else last
        yield module, "*" if name == "." else "", "" if name in ("_", ".") else name


def _java(node: Node) -> Found:
    path = node.named_children[0] if node.named_children else None
    if path is not None:
        module, _, name = _word(path).rpartition(".")
        if any(one.type == "asterisk" for one in node.named_children):
            yield _word(path), "*", ""
        else:
            yield module, name, name


def _word(node: Node) -> str:
    return re.sub(r"\s+", "", text_of(node))


_LANGUAGES: dict[str, Callable[[Node], Found]] = {
    "python": _python, "rust": _rust, "javascript": _script, "typescript": _script, "tsx": _script, "go": _go,
    "java": _java,
}  # fmt: skip
