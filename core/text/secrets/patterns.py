"""Patterns on RE2, which looks at each character a fixed number of times.

Linear searches alone do not make a linear whole: many of them, each reading to the end of the text, are quadratic.
So a pattern is either one sweep for something short (`each`), or is tried in a window that its caller bounds (`at`).
All searches go through this file, so that tests can count the characters that they are handed.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

Span = tuple[int, int]
_MOST_MEMORY = 64 << 20


_OTHER = b"\xff"


def searched(text: str) -> bytes:
    """The text with one byte for each character, so that places in both are the same."""
    return text.encode("latin-1", "gitlore.other")


def shown(data: bytes, span: Span) -> str:
    """A part of what is searched, as text."""
    return data[span[0] : span[1]].decode("latin-1")


codecs.register_error("gitlore.other", lambda error: (_OTHER * (error.end - error.start), error.end))  # type: ignore[attr-defined]


def _options(*, captures: bool = True) -> Any:
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    if not captures:
        options.never_capture, options.max_mem = True, _MOST_MEMORY
    return options


class Pattern:
    """A regular expression of RE2, compiled when first used."""

    def __init__(self, source: str) -> None:
        self.source = source

    @cached_property
    def _compiled(self) -> Any:
        import re2

        return re2.compile(self.source.encode(), _options())

    def each(self, data: bytes, start: int = 0, end: int | None = None) -> Iterator[Span]:
        """Where it is found, one after the other. Only for patterns that end within few characters."""
        for match in self._compiled.finditer(data, start, end):
            yield match.span()

    def at(self, data: bytes, start: int, end: int) -> Span | None:
        """Its first group, or all of it where it has none, if it matches from `start` on and within `end`."""
        match = self._compiled.match(data, start, end)
        return match.span(min(self._compiled.groups, 1)) if match else None

    def within(self, data: bytes, start: int, end: int) -> Span | None:
        """The same, wherever between `start` and `end` it begins."""
        match = self._compiled.search(data, start, end)
        return match.span(min(self._compiled.groups, 1)) if match else None

    def fits(self, value: str) -> bool:
        """True where it is found in a short text, of which the ASCII characters are looked at."""
        return self._compiled.search(value.encode("ascii", "ignore")) is not None


class AnyOf:
    """Many patterns in one automaton."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._sources = sources

    @cached_property
    def _union(self) -> Any:
        import re2

        return re2.compile("|".join(f"(?:{source})" for source in self._sources).encode(), _options(captures=False))

    @cached_property
    def _each(self) -> Any:
        import re2

        each = re2.Set.SearchSet(_options(captures=False))
        for source in self._sources:
            each.Add(source.encode())
        each.Compile()
        return each

    def found(self, data: bytes) -> bool:
        """True where one of the patterns is found: one pass, up to the first place."""
        return self._union.search(data) is not None

    def which(self, data: bytes) -> list[int]:
        """The numbers of the patterns that are found: one pass over all of it, and only if any is."""
        return sorted(self._each.Match(data)) if self.found(data) else []
