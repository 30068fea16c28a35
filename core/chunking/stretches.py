"""Source of C, C++ and C# without what no grammar takes, one stretch after another.

Most stretches of a version are those of the version before, so what became of one is remembered by its content and
by what is open around it. Where the cuts are changes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator

from core.chunking.preprocessor import NOTHING_AROUND, Around, preprocessed

KEPT_BYTES = 4 << 20
"""For what became of stretches, with `ENTRY_BYTES` for each that is remembered."""
ENTRY_BYTES = 300
MOST_OPEN = 100
"""Braces that may be open behind a stretch."""
MOST_LONGER = 3
"""Times in a row that a stretch is made longer since it ended within a statement; then it has the rest."""
_CUT = re.compile(
    rb"\n(?:[ \t]*#[ \t]*(?P<condition>if|endif)|(?:\t| {0,4}| {8})\}[ \t]*;?[ \t]*(?://[^\n\\]*)?\r?(?=\n))"
)
"""The end of a definition, by its looks; and conditions."""
_LONG_STRING = re.compile(
    rb'R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"|"""+.*?"""+|@\$?"(?:[^"]|"")*"|\$@"(?:[^"]|"")*"', re.DOTALL
)
"""What a brace on a line of its own may lie in, about. Each form begins with a character, so that it is soon found."""

_Kept = tuple[bytes | None, Around | None]
"""What became of a stretch, None for nothing; and what is open behind it."""


class Stretches:
    """Preprocesses the files of one language; `macros` is False for C#."""

    def __init__(self, *, macros: bool) -> None:
        self._macros = macros
        self._kept: OrderedDict[tuple[bytes, Around], tuple[_Kept, int]] = OrderedDict()
        self._bytes = 0

    def preprocessed(self, source: bytes) -> bytes:
        """Source of the same length and rows, without what a grammar cannot take."""
        parts: list[bytes] = []
        around, start, longer = NOTHING_AROUND, 0, 0
        for end in (*_cuts(source), len(source)):
            if longer > MOST_LONGER and end < len(source):
                continue
            text = source[start:end]
            part, behind = self._one(text, around)
            if behind is None and end < len(source):
                longer += 1
                continue
            parts.append(text if part is None else part)
            around, start, longer = behind or NOTHING_AROUND, end, 0
        return b"".join(parts)

    def _one(self, text: bytes, around: Around) -> _Kept:
        key = hashlib.blake2b(text, digest_size=16).digest(), around
        if known := self._kept.get(key):
            self._kept.move_to_end(key)
            return known[0]
        part, behind = preprocessed(text, around, macros=self._macros)
        if behind and max(len(behind.lists), len(behind.braces)) > MOST_OPEN:
            behind = None
        found = None if part == text else part, behind
        size = ENTRY_BYTES + (0 if found[0] is None else len(text))
        self._kept[key] = found, size
        self._bytes += size
        while self._bytes > KEPT_BYTES:
            self._bytes -= self._kept.popitem(last=False)[1][1]
        return found


def _cuts(source: bytes) -> Iterator[int]:
    """Where a definition seems to end outside of conditions and strings."""
    may_be_long = any(mark in source for mark in (b'R"', b'"""', b'@"', b'@$"'))
    strings = [match.span() for match in _LONG_STRING.finditer(source)] if may_be_long else []
    depth = number = 0
    for match in _CUT.finditer(b"\n" + source):
        at = match.end()
        while number < len(strings) and strings[number][1] < at:
            number += 1
        if condition := match["condition"]:
            depth += 1 if condition == b"if" else -1
        elif depth == 0 and at < len(source) and not (number < len(strings) and strings[number][0] < at):
            yield at
