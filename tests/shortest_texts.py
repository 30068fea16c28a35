"""The shortest texts that a pattern matches, from Python's own reading of it."""

from __future__ import annotations

import re
from typing import Any

_PARSER: Any = re._parser  # type: ignore[attr-defined]
_AT_LINE = {_PARSER.AT_BEGINNING_LINE: "", _PARSER.AT_END_STRING: ""}


def shortest(pattern: str) -> str:
    """A text that the pattern matches: what may be left out is, of alternatives the first is taken."""
    return _of(_PARSER.parse(pattern.replace(r"\z", r"\Z")))


def _of(parsed: Any) -> str:
    return "".join(_one(op, value, number) for number, (op, value) in enumerate(parsed))


def _one(op: Any, value: Any, number: int) -> str:
    if op is _PARSER.LITERAL:
        return chr(value)
    if op is _PARSER.NOT_LITERAL:
        return "x" if value != ord("x") else "y"
    if op is _PARSER.ANY:
        return "x"
    if op is _PARSER.IN:
        return _member(value, number)
    if op in (_PARSER.MAX_REPEAT, _PARSER.MIN_REPEAT):
        least, _, inner = value
        return "".join(_one(*inner[0], number + turn) if len(inner) == 1 else _of(inner) for turn in range(least))
    if op is _PARSER.SUBPATTERN:
        return _of(value[-1])
    if op is _PARSER.BRANCH:
        return _of(value[1][0])
    if op is _PARSER.AT:
        return ""
    raise ValueError(f"there is no shortest text for {op}")


def _member(members: Any, number: int) -> str:
    """A member of a set; others in turn, so that a sample looks drawn by chance."""
    allowed = re.compile(_set(members))
    letters = "b7Kd3Qf9Tz1Xc5Hs8Mu2Wa4Yg6Rj0VnPkEiLoBqCrDvFwG/+_-=.%,;:!@#&' \"<>|()[]{}?*\\\t\n\r"
    fitting = [letter for letter in letters if allowed.fullmatch(letter)]
    return fitting[(number * 7) % min(len(fitting), 31)]


def _set(members: Any) -> str:
    names = {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s", "CATEGORY_WORD": r"\w", "CATEGORY_NOT_SPACE": r"\S"}
    parts = []
    for op, value in members:
        if op is _PARSER.NEGATE:
            parts.append("^")
        elif op is _PARSER.LITERAL:
            parts.append(re.escape(chr(value)))
        elif op is _PARSER.RANGE:
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        else:
            parts.append(names[str(value)])
    return f"[{''.join(parts)}]"
