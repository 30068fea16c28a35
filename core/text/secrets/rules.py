"""A rule: what a text cannot do without, and how the credential is found from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from core.text.secrets.patterns import Pattern, shown
from core.text.secrets.secret import Secret

WINDOW = 1_200
"""Characters from an anchor on within which a rule looks, unless it says otherwise."""
_ALPHANUMERIC = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_BLANKS_ESCAPED = (b"\\n", b"\\r", b"\\t", b"%3", b"%2")


class Finder(Protocol):
    """What finds one kind of credential in a text."""

    @property
    def anchor(self) -> str:
        """A short pattern without which there is none; with no long counted runs, which make automata large."""

    def find(self, data: bytes) -> Iterator[Secret]:
        """Those in a text, as `searched` makes it."""
        ...


def anything(_: str) -> bool:
    """The guard of a rule whose form says enough."""
    return True


@dataclass(frozen=True)
class Rule:
    """A pattern that is tried at each anchor, in a window; its first group, or all of it, is the credential."""

    kind: str
    anchor: str
    pattern: str
    guard: Callable[[str], bool] = anything
    back: int = 0
    """Characters before the anchor where the match may begin; 0: it begins with the anchor."""
    ahead: int = WINDOW
    own_word: bool = False
    """The match begins and ends where a word does."""

    @cached_property
    def _anchors(self) -> Pattern:
        return Pattern(self.anchor)

    @cached_property
    def _whole(self) -> Pattern:
        return Pattern(self.pattern)

    def find(self, data: bytes) -> Iterator[Secret]:
        """The credentials of this rule; each window is bounded, and what was found is not looked at again."""
        done = 0
        for start, _ in self._anchors.each(data):
            if start < done:
                continue
            end = min(start + self.ahead, len(data))
            look = self._whole.within if self.back else self._whole.at
            span = look(data, max(start - self.back, done), end)
            if span is None or (self.own_word and not is_word(data, *span)):
                continue
            if self.guard(shown(data, span)):
                done = span[1]
                yield Secret(*span, self.kind)


def is_word(data: bytes, start: int, end: int) -> bool:
    """True where no letter or digit stands right before or behind; the letter of an escaped line break may."""
    if end < len(data) and data[end] in _ALPHANUMERIC and data[end - 1] in _ALPHANUMERIC:
        return False
    if start == 0 or data[start - 1] not in _ALPHANUMERIC | {ord("_")}:
        return True
    return data[max(start - 2, 0) : start] in _BLANKS_ESCAPED or data[max(start - 3, 0) : start - 1] in _BLANKS_ESCAPED
