"""Shapes of lines: their tokens with names and literals that may differ replaced by placeholders."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from patterns.line_edits import is_literal, is_name

Shape = tuple[str, ...]
"""Tokens, of which `v0`, `v1`, … stand for any name and `s0`, … for any literal; the same one for the same token."""
_IMPORTS = frozenset(("import", "from", "use", "using", "include", "require"))
"""Which names a file imports depends on what it does with them, not on how others did it."""
_PLACEHOLDER = re.compile(r"[vs]\d+")


def is_placeholder(token: str) -> bool:
    """True of `v0` and `s0`; a name that looks like one is never kept, so that there is no doubt."""
    return _PLACEHOLDER.fullmatch(token) is not None


def shapes(lines: Sequence[Sequence[str]], kept: Collection[str]) -> list[Shape]:
    """The shapes of some lines, with placeholders in common, numbered as they come; names in `kept` stay."""
    given: dict[str, str] = {}
    return [tuple(_shaped(token, given, kept) for token in line) for line in lines]


def renumbered(lines: Sequence[Shape]) -> list[Shape]:
    """The same shapes with placeholders numbered as they come now."""
    given: dict[str, str] = {}
    return [tuple(_again(token, given) for token in line) for line in lines]


def kept_names(shape: Shape) -> list[str]:
    """Its tokens that are names and stay, in order."""
    return [token for token in shape if is_name(token) and not is_placeholder(token)]


def is_statement(shape: Shape) -> bool:
    """True of a line that is no import, whose round and square brackets are closed: the next line cannot change it."""
    opened, closed = (sum(map(shape.count, signs)) for signs in ("([", ")]"))
    return opened == closed and not _IMPORTS.intersection(shape[:2])


def is_determined(before: Shape, after: Shape) -> bool:
    """True where the line before says all of the line after."""
    return {token for token in after if is_placeholder(token)} <= set(before)


def bound(shape: Shape, line: Sequence[str], kept: Collection[str]) -> dict[str, str] | None:
    """What the placeholders of a shape stand for in a line's tokens; None where it has another shape."""
    if len(line) != len(shape):
        return None
    found: dict[str, str] = {}
    for token, here in zip(shape, line, strict=True):
        if not is_placeholder(token):
            if token != here:
                return None
        elif found.setdefault(token, here) != here or not _may_stand_for(token, here, kept):
            return None
    return found if len(set(found.values())) == len(found) else None


def _may_stand_for(placeholder: str, token: str, kept: Collection[str]) -> bool:
    if placeholder[0] == "s":
        return is_literal(token)
    return is_name(token) and token not in kept


def _shaped(token: str, given: dict[str, str], kept: Collection[str]) -> str:
    if is_name(token):
        return token if token in kept and not is_placeholder(token) else _placeholder("v", token, given)
    return _placeholder("s", token, given) if is_literal(token) else token


def _again(token: str, given: dict[str, str]) -> str:
    return _placeholder(token[0], token, given) if is_placeholder(token) else token


def _placeholder(kind: str, token: str, given: dict[str, str]) -> str:
    if token not in given:
        given[token] = f"{kind}{sum(one[0] == kind for one in given.values())}"
    return given[token]
