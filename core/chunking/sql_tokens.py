"""Tokens of SQL in any dialect, as far as they tell where statements begin and end."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

_TERMINATOR = re.compile(
    rb"^[ \t]*(?:DELIMITER|SET[ \t]+TERM)[ \t]+(?P<mark>[^\s;]\S*|;+)[^\n]*", re.MULTILINE | re.IGNORECASE
)
"""MySQL and Firebird say what ends a statement from here on."""
_GO = rb"^[ \t]*GO(?:[ \t]+\d+)?[ \t]*;?[ \t]*(?:--[^\n]*)?\r?$"
_ENDS_BATCH = re.compile(_GO, re.MULTILINE | re.IGNORECASE)
_IS_MYSQL = re.compile(rb"`|^[ \t]*DELIMITER[ \t]", re.MULTILINE | re.IGNORECASE)
_COMMENT = rb"--[^\n]*|/\*(?!!).*?(?:\*/|\Z)|^[ \t]*(?:#(?![\w>-])|REM(?:ARK)?[ \t\r\n])[^\n]*"
_WORD = (
    rb"(?<![\w@#$.:\x80-\xff])(?:CREATE|ALTER|BEGIN(?:\s+(?:DISTRIBUTED\s+)?(?:TRAN(?:SACTION)?|DIALOG|CONVERSATION|WORK)"
    rb"(?![\w$#@]))?|CASE|END(?:\s+(?:IF|LOOP|WHILE|REPEAT|FOR|CASE)(?![\w$#@]))?|IS|AS|DECLARE|FUNCTION|PROCEDURE"
    rb"|COMPOUND\s+TRIGGER|DROP|GRANT|EXEC|PRINT|INSERT|UPDATE|DELETE|TRUNCATE|SELECT|IF|SET|USE|COMMIT)(?![\w#@\x80-\xff]|\$\w)"
)
# One that ends where the body of a function would begin, or with a name, was never closed.
_IN_DOLLARS = (
    rb"(?P<dollars>\$(?:[A-Za-z_]\w*)?\$)(?:[^$]++|(?!(?P=dollars))\$)*+"
    rb"(?<!\sAS\s)(?<!\sDO\s)(?P=dollars)(?=\W|\Z|LANGUAGE)"
)
_COMMENTS_IN_DOLLARS = re.compile(rb"'(?:[^']|'')*+'|(?P<comment>(?<!\S)--[^\n]*|/\*.*?(?:\*/|\Z))", re.DOTALL)


class Token(NamedTuple):
    """Something in SQL that matters."""

    kind: str
    """ "comment", "text" in quotes, "word" for a keyword, "open" and "close" for brackets, ";", "end" for what ends
    more than a statement (`GO`, `/`, MySQL's delimiter), "apart" for lines that are no statement, "condition" for what
    PL/SQL compiles by."""
    text: bytes
    """Of a keyword, in upper case with single spaces; otherwise empty."""
    start: int
    end: int


def ends_batches(source: bytes) -> bool:
    """True for T-SQL in which lines with `GO` end what they follow."""
    return _ENDS_BATCH.search(source) is not None


def tokens_of(source: bytes) -> Iterator[Token]:
    """The tokens of SQL, in order; but for comments in a text in dollars, which follow it."""
    has_escapes, has_batches = _IS_MYSQL.search(source) is not None, ends_batches(source)
    at, mark = 0, b";"
    for line in _TERMINATOR.finditer(source):
        yield from _tokens(source, at, line.start(), _pattern(mark, has_escapes, has_batches))
        yield Token("apart", b"", line.start(), line.end())
        at, mark = line.end(), line["mark"]
    yield from _tokens(source, at, len(source), _pattern(mark, has_escapes, has_batches))


def _tokens(source: bytes, start: int, end: int, pattern: re.Pattern[bytes]) -> Iterator[Token]:
    for match in pattern.finditer(source, start, end):
        kind = match.lastgroup or ""
        text = b" ".join(match[0].upper().split()) if kind == "word" else b""
        yield Token(";" if kind == "semicolon" else kind, text, match.start(), match.end())
        if kind == "text" and source.startswith(b"$", match.start()):
            for inner in _COMMENTS_IN_DOLLARS.finditer(source, match.start(), match.end() - len(match["dollars"])):
                if inner["comment"]:
                    yield Token("comment", b"", inner.start(), inner.end())


@functools.cache
def _pattern(mark: bytes, has_escapes: bool, has_batches: bool) -> re.Pattern[bytes]:
    """Tokens where `mark` ends a statement; `has_escapes` where a backslash keeps a quote from ending a text."""
    own_mark = b"" if mark == b";" else rb"|(?P<end>%b)" % re.escape(mark)
    # A text of several lines in which a definition begins at the margin was never closed, unless T-SQL builds one.
    inside = rb"[^'\\\n]++|\\." if has_escapes else rb"[^'\n]++"
    breaks = rb"\n" if has_batches else rb"\n(?!CREATE[ \t])"
    return re.compile(
        rb"(?P<comment>%b)" % _COMMENT
        + (own_mark or rb"|(?P<end>%b|^/[ \t]*\r?$)" % _GO)
        + rb"|(?P<text>(?<!\w)n?q'(?:\[.*?\]|\{.*?\}|\(.*?\)|<.*?>|(?P<q>[^\s\w\[{(<]).*?(?P=q))'"
        + rb"|(?<!\w)e'(?:[^'\\]|''|\\.)*+'|'(?:%b|''|%b)*+'(?!\w)|'[^\n]*" % (inside, breaks)
        + rb"|\"(?:[^\"\\\n]|\\.)*+\"|`[^`\n]*`|\[[^\]\n']*\]|^PROMPT\b[^'\n]*'[^'\n]*$"
        + (b"" if own_mark else rb"|%b" % _IN_DOLLARS)
        + rb")|(?P<condition>\$(?:(?:IF|ELSIF)\b[^;]*?\$THEN|ELSE|END)\b)"
        + rb"|(?P<apart>^COPY\s[^;]*?\sFROM\s+STDIN\b[^;]*;[^\n]*\n.*?^\\\.[ \t]*\r?$)"
        + rb"|(?P<semicolon>;)|(?P<open>\()|(?P<close>\))|(?P<word>%b)" % _WORD,
        re.DOTALL | re.MULTILINE | re.IGNORECASE,
    )
