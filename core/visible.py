"""Text of others, shown to people: what a terminal or a page would act on instead of showing is spelled out."""

from __future__ import annotations

import re

_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but for tab and new line, separators of lines, marks that turn the direction of writing, and
halves of characters, which is also how Python holds bytes that are not UTF-8."""


def visible(text: str) -> str:
    """The text with every such character as its escape, such as \\x1b or \\u202e; any other text as it is.

    A byte that is not UTF-8 becomes \\x and its number.
    """
    return _ACTING.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    if 0xDC80 <= number <= 0xDCFF:
        number -= 0xDC00
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
