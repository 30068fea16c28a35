"""Names of a change by its code: of both sides as they are, and of their shape."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from core.chunking.code_tokens import TOKEN
from core.code.languages import LANGUAGES

_VERSION = "v1"
_STRING = rb"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"
_C_COMMENT, _HASH_COMMENT, _DASH_COMMENT = rb"//[^\n]*|/\*(?:.|\n)*?\*/", rb"#[^\n]*", rb"--[^\n]*"
_DASHES = frozenset(("sql", "lua", "haskell", "ada", "vhdl", "elm"))
_KEYWORDS = frozenset(
    b"and as async await break case catch class const continue def default delete do elif else enum except export"
    b" extends extern false finally fn for foreach from func function go goto if impl import in instanceof"
    b" interface is lambda let loop match mod module mut namespace new nil none None not null or package pass"
    b" private protected pub public raise return select self static struct super switch this throw throws trait"
    b" true True False try type typeof union unless unsafe until use using var virtual void where while with"
    b" yield".split()
)
"""Words that a shape keeps: of any language, since what is one in another is rarely a name here."""


def tokens(code: str, language: str) -> list[bytes]:
    """Tokens of code without comments and white space; a text in quotes is one token.

    What is a comment is not known in a language that has no name here: all of it is tokens.
    """
    return [token for token in _pattern(language).findall(code.encode("utf-8", "replace")) if token]


def change_hash(language: str, before: str, after: str) -> str:
    """The `solution_hash` of two sides of code. Where they differ in comments alone, these count."""
    sides = [tokens(code, language) for code in (before, after)]
    if sides[0] == sides[1]:
        sides = [tokens(code, "") for code in (before, after)]
    return solution_hash(language, *sides)


def solution_hash(language: str, before: Sequence[bytes], after: Sequence[bytes]) -> str:
    """64 hexadecimal digits that the same change has wherever it is made; the way back has others."""
    return _digest(language, before, after)


def shape_hash(language: str, before: Sequence[bytes], after: Sequence[bytes]) -> str:
    """The same with names and literals replaced by numbers, in the order in which they first occur."""
    numbers: dict[bytes, bytes] = {}
    return _digest(language, *(list(_abstracted(side, numbers)) for side in (before, after)))


def _abstracted(side: Iterable[bytes], numbers: dict[bytes, bytes]) -> Iterator[bytes]:
    for token in side:
        if token in _KEYWORDS or not (token[:1].isalnum() or token[:1] in (b"_", b'"', b"'", b"`")):
            yield token
        else:
            kind = b"v" if token[:1].isalpha() or token[:1] == b"_" else b"s"
            yield numbers.setdefault(token, kind + b"%d" % len(numbers))


def _digest(language: str, before: Iterable[bytes], after: Iterable[bytes]) -> str:
    parts = (_VERSION.encode(), language.encode(), b"\x01".join(before), b"\x01".join(after))
    return sha256(b"\0".join(parts)).hexdigest()


@functools.cache
def _pattern(language: str) -> re.Pattern[bytes]:
    """Finds tokens in its group, and comments outside it."""
    found = rb"(" + _STRING + rb"|" + TOKEN.pattern + rb")"
    known = LANGUAGES.get(language)
    if known is None and language not in _DASHES:
        return re.compile(found)
    comment = _DASH_COMMENT if language in _DASHES else _HASH_COMMENT
    if known and (known.has_c_comments or language == "php"):
        comment = _C_COMMENT
    return re.compile(rb"(?:" + comment + rb")|" + found)
