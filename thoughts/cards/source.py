"""A file at a commit as a card looks at it: its lines, its symbols, and what it says of itself at its top."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from chat.citations import lines_of
from core.chunking import parsing
from core.chunking.heads import without_marks
from core.code.content import language_in
from core.code.languages import LANGUAGES
from core.errors import UserError, did_you_mean
from core.ranking.symbols import KINDS
from index import texts
from index.texts import Symbol, first_sentence

if TYPE_CHECKING:
    from tree_sitter import Node

    from core.chunking.outline import Outline

MOST_SIGNATURE = 160
"""Characters."""
FEWEST_WORDS = 3
"""Of a sentence about a file."""
_NO_OPENING = re.compile(
    r"copyright|licen[cs]e|SPDX|all rights reserved|^#!|coding[:=]|eslint|prettier|clang-format|pylint:|ruff:|mypy:",
    re.IGNORECASE | re.MULTILINE,
)
_BEFORE_IT = ("shebang", "hash_bang_line", "php_tag")


class Opening(NamedTuple):
    """What a file says of itself. Lines count from 1, both included."""

    first: int
    last: int
    sentence: str


@dataclass(frozen=True)
class Source:
    """A file's content."""

    path: str
    data: bytes

    @cached_property
    def lines(self) -> list[str]:
        """Its lines."""
        return lines_of(self.data)

    @cached_property
    def symbols(self) -> tuple[Symbol, ...]:
        """Those that may be asked about; none of a file that is left out of the index of code, as data is."""
        return () if self.reason else self._parsed.symbols

    @property
    def reason(self) -> str:
        """Why its content is not looked at, "" where it is."""
        return texts.LARGE if len(self.data) > texts.MAX_BYTES else texts.left_out(self.path) or self._parsed.reason

    @cached_property
    def _parsed(self) -> texts.Parsed:
        return texts.parsed(self.data, self.path)

    @cached_property
    def outline(self) -> Outline | None:
        """Its outline, None where no grammar can read it."""
        if self.reason:
            return None
        language = language_in(self.path, self.data)
        return parsing.outline(self.data, language, self.path) if LANGUAGES[language].has_symbols else None

    def named(self, name: str) -> list[Symbol]:
        """The symbols that a name means, the likeliest first: its qualified name, then the longest of that name alone.

        Raises UserError where there is none.
        """
        wanted = name.removesuffix("()")
        exact = [one for one in self.symbols if one.name == wanted]
        found = exact or [one for one in self.symbols if one.last_name == wanted]
        if not found:
            hint = did_you_mean(name, {one.name for one in self.symbols}) if self.symbols else "name the file alone"
            raise UserError(f"{self.path} has no symbol {name!r}", hint)
        return sorted(found, key=lambda one: one.first - one.last)

    def signature(self, symbol: Symbol) -> str:
        """A symbol's head in one line, "" where no grammar knows it."""
        text = self._signatures.get((symbol.name, symbol.first, symbol.last), "")
        text = re.sub(r"(?<=[(\[]) | (?=[)\]])|,? (?=\))", "", text)
        return text if len(text) <= MOST_SIGNATURE else f"{text[: MOST_SIGNATURE - 1]}…"

    @cached_property
    def _signatures(self) -> dict[tuple[str, int, int], str]:
        if self.outline is None:
            return {}
        found = {}
        for owner in self.outline.owners():
            first, last = self.outline.rows(owner)
            one = self.outline.symbol(owner)
            found[one.qualified_name, first + 1, last + 1] = one.signature
        return found

    @cached_property
    def roots(self) -> list[Symbol]:
        """The outermost symbols of code that are no tests, those with the most lines first, each name once.

        What is outside of a type and belongs to it, such as a method in Rust or Go, counts as a part of it.
        """
        sizes: Counter[str] = Counter()
        for one in self.symbols:
            if one.names:
                sizes[one.names[0]] += one.last - one.first + 1
        outer = [one for one in self.symbols if not one.above and one.kind in KINDS and not _is_test(one)]
        first = {one.last_name: one for one in reversed(outer)}
        return sorted(first.values(), key=lambda one: (-sizes[one.last_name], one.first))

    def main(self, most: int) -> list[Symbol]:
        """The longest functions and types that are no tests, none within another."""
        found: list[Symbol] = []
        for one in sorted(self.symbols, key=lambda one: one.first - one.last):
            outside = all(one.last < other.first or other.last < one.first for other in found)
            if one.kind in KINDS - {"constant"} and outside and not _is_test(one) and len(found) < most:
                found.append(one)
        return found

    @cached_property
    def opening(self) -> Opening | None:
        """The first sentence of its docstring or of the comment at its top that is no licence."""
        if self.outline is None or self.outline.tree is None:
            return None
        within = [range(one.first, one.last + 1) for one in self.symbols]
        for first, last in _openings(self.outline.tree.root_node.children):
            text = "\n".join(self.lines[first - 1 : last])
            if _NO_OPENING.search(text) or any(first in rows for rows in within):
                continue
            sentence = first_sentence(without_marks(text))
            if len(sentence.split()) >= FEWEST_WORDS:
                return Opening(first, last, sentence)
        return None


def _is_test(symbol: Symbol) -> bool:
    return symbol.is_test or symbol.names[:1] in (("tests",), ("test",))


def _openings(nodes: Sequence[Node]) -> Iterator[tuple[int, int]]:
    """First and last line of each comment before the first code, and of a docstring there."""
    first = last = 0
    for node in nodes:
        start, end = node.start_point[0] + 1, node.end_point[0] + (node.end_point[1] > 0)
        if "comment" in node.type:
            if first and start > last + 1:
                yield first, last
                first = 0
            first, last = first or start, end
            continue
        if first:
            yield first, last
            first = 0
        if node.type == "expression_statement" and [one.type for one in node.named_children] == ["string"]:
            yield start, end
        elif node.type not in _BEFORE_IT:
            return
    if first:
        yield first, last
