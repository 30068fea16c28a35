"""A change as lines that were taken away, added, or left, with their syntax in colour."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from markupsafe import Markup

from core.visible import visible
from services.web.viewer import MOST_WIDTH, coloured

MOST_COMPARED = 1000
"""Lines of both sides. Longer ones are shown one after the other: what goes into the comparison is not ours."""


@dataclass(frozen=True)
class ChangedLine:
    """A line with its sign: "-", "+", or a blank."""

    sign: str
    html: Markup

    @property
    def kind(self) -> str:
        """For the style sheet."""
        return {"-": " removed", "+": " added"}.get(self.sign, "")


def changed_lines(before: str, after: str, path: str) -> list[ChangedLine]:
    """Both sides of a pattern as one list; the path says the language."""
    left, right = _lines(before), _lines(after)
    old, new = coloured(left, path), coloured(right, path)
    if len(left) + len(right) > MOST_COMPARED:
        return [ChangedLine("-", one) for one in old] + [ChangedLine("+", one) for one in new]
    found: list[ChangedLine] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            found += [ChangedLine(" ", one) for one in new[c:d]]
        else:
            found += [ChangedLine("-", one) for one in old[a:b]] + [ChangedLine("+", one) for one in new[c:d]]
    return found


def _lines(text: str) -> list[str]:
    return (
        [visible(line.removesuffix("\r")[:MOST_WIDTH]) for line in text.removesuffix("\n").split("\n")] if text else []
    )
