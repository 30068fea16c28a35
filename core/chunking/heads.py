"""A symbol's head: its names, its signature, its doc."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_RUST_TYPE = re.compile(r"(?:&\s*(?:'\w+\s*)?(?:mut\s+)?)?(?:dyn\s+)?(?:\w+\s*::\s*)*(\w+)\s*(?:<.*)?$", re.DOTALL)
_ANNOTATIONS = re.compile(r"\A(?:@[^\n]*\n\s*)+")
_CONVERSION = re.compile(r"(.*?)(\boperator\s[^(]*[^(\s])\s*\(.*")
"""`operator bool() const` of C++: its scope, its name."""
_DEFINE = re.compile(r"#\s*define\b")
_QUOTE_OR_COMMENT = re.compile(r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)+'|`[^`]*`)|//.*|/\*(?s:.*?)(?:\*/|\Z)")
_FIRST_MARK = re.compile(r"[ \t]*(?:///?!?|//!|/\*+!?|\*+/?|#+|--+)?[ ]?")
_FIRST_QUOTE = re.compile(r"[rRbBuU]*(?:\"{3}|'{3}|\"|')")
_ATTRIBUTES = ("#[", "#![", "@", "[")


def names(kind: str, captures: dict[str, list[Node]], source: bytes, separator: str) -> tuple[str, str]:
    """(name, name qualified by its own definition, such as a Go receiver)."""
    text = _text(captures["name"][0], source).strip("\"'`") or "?"
    scope = _text(captures["scope"][0], source) if "scope" in captures else ""
    if kind == "section":
        text = text.rstrip("#").rstrip() or text
    if kind == "impl":
        simple = _RUST_TYPE.match(text)
        return simple[1] if simple else text, f"<{text} as {scope}>" if scope else text
    if kind == "function" and (conversion := _CONVERSION.match(text)):
        return conversion[2], f"{conversion[1]}{conversion[2]}"
    if scope and scope != "self":  # of Ruby
        scope = re.sub(r"^[(\s*&]+|[)\s]+$|\[.*", "", scope)  # a Go receiver
        return text, f"{scope}{separator}{text}"
    return text.rsplit(separator, 1)[-1] if kind == "function" else text, text


def signature_of(text: str, kind: str, *, has_body: bool) -> str:
    """What stands before a symbol's body, in one line; of one without a body no more than its first line."""
    if not has_body and kind != "function":
        first = _ANNOTATIONS.sub("", text.strip()).partition("\n")[0]
        if _DEFINE.match(first):
            first = without_comments(first).rstrip("\\ ")
        text = first.partition("{")[0] if kind == "macro" else re.split(r"[={]", first, maxsplit=1)[0]
    return " ".join(text.split()).rstrip("{:;= ")


def without_comments(head: str) -> str:
    """A head in a language that writes comments as C does, without them."""
    return _QUOTE_OR_COMMENT.sub(lambda found: found[1] or "", head) if "/" in head else head


def comments_of(lead: str) -> str:
    """The comments among attributes and comments. An attribute goes on until its brackets are closed, if they are."""
    lines = lead.split("\n")
    kept, depth = [], 0
    for line in lines:
        if depth or line.lstrip().startswith(_ATTRIBUTES):
            code = _QUOTE_OR_COMMENT.sub("", line)
            depth = max(depth + sum(map(code.count, "([{")) - sum(map(code.count, ")]}")), 0)
        else:
            kept.append(line)
    if depth:  # no attribute, but a line of a comment that begins like one
        kept = [line for line in lines if not line.lstrip().startswith(_ATTRIBUTES)]
    return "\n".join(kept)


def without_marks(comment: str) -> str:
    """A comment's text alone."""
    lines = []
    for number, line in enumerate(comment.strip().split("\n")):
        mark = _FIRST_MARK.match(line)
        if not number and mark and not mark.end():
            mark = _FIRST_QUOTE.match(line) or mark
        lines.append(_without_last_mark(line[mark.end() :] if mark else line))
    return "\n".join(lines).strip()


def _without_last_mark(line: str) -> str:
    line = line.rstrip(" \t")
    if line.endswith("*/"):
        return line[:-1].rstrip("*").rstrip(" \t")
    return line[:-3].rstrip(" \t") if line.endswith(('"""', "'''")) else line


def _text(node: Node, source: bytes) -> str:
    return " ".join(source[node.start_byte : node.end_byte].decode(errors="replace").split())
