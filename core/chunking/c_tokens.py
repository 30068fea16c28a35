"""Tokens of C, C++ and C# before the preprocessor has run."""

from __future__ import annotations

import re

import msgspec

_DIRECTIVE = rb"(?P<directive>^[ \t]*\#(?:/\*.*?\*/|//(?:\\\r?\n|[^\n])*|\\\r?\n|[^\n])*)"
_BLANKS = rb"(?:[ \t\r]|\n(?![ \t]*\#))*+"
"""Behind a token, but for what a directive begins with: to skip them here is faster than to look for tokens in them."""
_C_TOKENS = re.compile(
    rb"(?:(?P<comment>//(?:\\\r?\n|[^\n])*|/\*.*?(?:\*/|\Z))"
    rb"|" + _DIRECTIVE + rb"|(?P<string>(?:u8|[uUL])?R\"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)\""
    rb"|(?:u8|[uUL])?\"(?:[^\"\\\n]|\\.)*\"?|(?:u8|[uUL])?'(?:[^'\\\n]|\\.)+')"
    rb"|(?P<word>[A-Za-z_$][\w$]*)|(?P<other>\.?\d(?:'?[\w.])*|::|[^\s]))" + _BLANKS,
    re.DOTALL | re.MULTILINE,
)
_CSHARP_TOKENS = re.compile(
    rb"(?:(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))"
    rb"|" + _DIRECTIVE + rb"|(?P<string>\$*(?P<mark>\"{3,}).*?(?P=mark)"
    rb"|(?:@\$?|\$@)\"(?:[^\"]|\"\")*\"|\$?\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)+')"
    rb"|(?P<word>@?[A-Za-z_]\w*)|(?P<other>[^\s]))" + _BLANKS,
    re.DOTALL | re.MULTILINE,
)
MACRO = re.compile(rb"(?:[A-Z_][A-Z0-9_]+|__[a-z][a-z_]*)$")
"""What is a macro by its looks."""
OPEN, CLOSE = frozenset(b"( [ {".split()), frozenset(b") ] }".split())
_NOT_BREAKS = re.compile(rb"[^\r\n]")


class Token(msgspec.Struct, frozen=True, gc=False):
    """A piece of code; comments and white space are none."""

    kind: str
    """ "word", "string", "directive" or "other"."""
    text: bytes
    start: int
    end: int


def tokens_of(source: bytes, *, is_csharp: bool) -> list[Token]:
    """The tokens of source."""
    pattern = _CSHARP_TOKENS if is_csharp else _C_TOKENS
    found: list[Token] = []
    for match in pattern.finditer(source):
        kind = match.lastgroup or "string"
        if kind != "comment":
            start, end = match.span(kind)
            found.append(Token(kind, match[kind], start, end))
    return found


def comments_behind(source: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Byte ranges of the comments in what a `#define` stands for, which is one piece of text to a grammar."""
    return [match.span("comment") for match in _C_TOKENS.finditer(source, start, end) if match.lastgroup == "comment"]


def blank(out: bytearray, start: int, end: int) -> None:
    """Overwrite with spaces; lines stay."""
    out[start:end] = _NOT_BREAKS.sub(b" ", bytes(out[start:end]))
