"""Lines that a change replaced, each beside the one in its place, and their tokens."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from core.code.languages import LANGUAGES
from core.records.chunks import Chunk

MOST_REMOVED, MOST_ADDED = 6, 8
"""Lines in a row up to which it is said which one took the place of which."""
LONGEST_LINE = 400
"""Characters; longer lines are data."""
_HUNK = "@@"
_NAME = r"[^\W\d]\w*"
_NUMBER = r"\d[\w.]*"
_DOUBLE = r'"(?:[^"\\]|\\.)*"'
_SINGLE = r"'(?:[^'\\]|\\.)*'"
_CHARACTER = r"'(?:[^'\\]|\\.[^']*)'"
"""Rust's: a quote that no other follows soon begins a lifetime."""
_BACKTICKS = r"`(?:[^`\\]|\\.)*`"
_REST = r"[^\s\w]"


@dataclass(frozen=True)
class Replaced:
    """What a chunk replaced line by line."""

    path: str
    language: str
    pairs: tuple[tuple[str, str], ...]
    """(before, after), without indentation; lines whose tokens are the same are left out, and comments."""
    names: frozenset[str]
    """Names in all of its added lines."""
    chunk_id: str = ""


def replaced(chunk: Chunk) -> Replaced:
    """What a chunk replaced line by line; nothing outside code."""
    known = LANGUAGES.get(chunk.language)
    if known is None or known.kind != "code":
        return Replaced(chunk.file_path, chunk.language, (), frozenset())
    pairs, names = [], set[str]()
    for removed, added in _runs(chunk.patch.split("\n")):
        for line in added:
            names.update(token for token in tokens(line, chunk.language) if is_name(token))
        if 0 < len(removed) <= MOST_REMOVED and 0 < len(added) <= MOST_ADDED:
            pairs += [pair for pair in _aligned(removed, added) if _tells(*pair, chunk.language)]
    return Replaced(chunk.file_path, chunk.language, tuple(pairs), frozenset(names), chunk.chunk_id)


def tokens(line: str, language: str) -> list[str]:
    """Tokens of a line of code: names, literals, a comment, single signs; none of a line beyond `LONGEST_LINE`."""
    return [] if len(line) > LONGEST_LINE else _pattern(language).findall(line)


def pieces(line: str, language: str) -> list[str]:
    """The same with the blanks between them, which together are the line."""
    return _pieces(language).findall(line)


def is_name(token: str) -> bool:
    """A name or a keyword."""
    return token.isidentifier()


def is_literal(token: str) -> bool:
    """A string, a number or a comment."""
    return (len(token) > 1 and not token.isidentifier()) or token.isdigit()


@functools.cache
def _pieces(language: str) -> re.Pattern[str]:
    return re.compile(rf"\s+|{_pattern(language).pattern}")


@functools.cache
def _pattern(language: str) -> re.Pattern[str]:
    known = LANGUAGES.get(language)
    comment = r"//.*|/\*.*?\*/" if known and known.has_c_comments else r"\#.*"
    quoted = _CHARACTER if language == "rust" else _SINGLE
    prefix = r"(?:\b[a-zA-Z]{1,2})?"
    return re.compile("|".join((comment, prefix + _DOUBLE, prefix + quoted, _BACKTICKS, _NAME, _NUMBER, _REST)))


def _runs(lines: Iterable[str]) -> Iterator[tuple[list[str], list[str]]]:
    """(removed, added) lines that stand at one place of a patch, without indentation and blank ones."""
    removed: list[str] = []
    added: list[str] = []
    for line in (*lines, _HUNK):
        if line[:1] not in ("-", "+") or (line[0] == "-" and added):
            if removed or added:
                yield removed, added
            removed, added = [], []
        if line[:1] in ("-", "+") and (text := line[1:].strip()):
            (removed if line[0] == "-" else added).append(text)


def _aligned(removed: Sequence[str], added: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each line of the shorter side beside one of the other, in order, so that they are most alike together."""
    if len(removed) == len(added):
        yield from zip(removed, added, strict=True)
        return
    flipped = len(removed) > len(added)
    short, long = (added, removed) if flipped else (removed, added)
    for first, second in zip(short, (long[place] for place in _places(short, long)), strict=True):
        yield (second, first) if flipped else (first, second)


def _places(short: Sequence[str], long: Sequence[str]) -> Sequence[int]:
    """Rising places in `long` for the lines of `short`, of the highest sum of likeness."""
    best: dict[int, tuple[float, tuple[int, ...]]] = {-1: (0.0, ())}  # by the last place that was given away
    for number, line in enumerate(short):
        found: dict[int, tuple[float, tuple[int, ...]]] = {}
        for place in range(number, len(long) - (len(short) - number - 1)):
            before = max((best[last] for last in best if last < place), key=lambda one: one[0])
            likeness = Indel.normalized_similarity(line, long[place])
            found[place] = (before[0] + likeness, (*before[1], place))
        best = found
    return max(best.values(), key=lambda one: one[0])[1]


def _tells(before: str, after: str, language: str) -> bool:
    old, new = tokens(before, language), tokens(after, language)
    return bool(old and new) and old != new and not (_is_comment(old) or _is_comment(new))


def _is_comment(line: Sequence[str]) -> bool:
    return len(line) == 1 and line[0].startswith(("#", "//", "/*")) and len(line[0]) > 1
