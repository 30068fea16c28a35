"""Tokens of code without its comments: what symbols and versions are compared by."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.chunking.outline import Outline, Owner

TOKEN = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*|[0-9][A-Za-z0-9_.]*|[^\sA-Za-z0-9_]")


def code_tokens(outline: Outline, owner: Owner) -> list[bytes]:
    """Tokens of a symbol's definition, without comments."""
    place, symbol = outline.places[owner.place], outline.symbol(owner)
    return tokens_between(outline, place.start + symbol.start, place.start + symbol.end)


def tokens_between(outline: Outline, start: int, end: int) -> list[bytes]:
    """Tokens of a byte range, without comments."""
    return TOKEN.findall(without_comments(outline.source, start, end, outline.comments_between(start, end)))


def without_comments(source: bytes, start: int, end: int, comments: Sequence[tuple[int, int]]) -> bytes:
    """A byte range with a space for each of some ranges inside it."""
    pieces, at = [], start
    for first, last in comments:
        pieces.append(source[at : max(first, at)])
        at = max(at, last)
    pieces.append(source[at:end])
    return b" ".join(pieces)
