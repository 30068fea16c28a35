"""What a ranking knows of a file's text: its words, its identifiers, what it defines, how long it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.ranking.terms import IDENTIFIER, LONGEST, Counts, Terms, number, pack, part_numbers

MAX_BYTES = 400_000
"""Of a file's text that are read."""
_DEFINITION = re.compile(
    r"\b(?:def|class|fn|func|function|struct|enum|trait|interface|type|union|module|mod|macro_rules!|protocol|object"
    r"|const|static|sub|record)\s+(?:\([^()\n]{0,80}\)\s*)?([^\W\d]\w*)"
)


@dataclass(frozen=True, slots=True)
class Content:
    """The text of one blob. Terms are in rising order."""

    words: Terms
    word_counts: Counts
    names: Terms
    """Identifiers, as they are spelled."""
    name_counts: Counts
    defined: Terms
    """Those that it defines."""
    defined_words: Terms
    """The words of these."""
    lines: int


class Contents(Protocol):
    """Where the texts of blobs come from."""

    def of(self, blobs: Sequence[str]) -> list[Content]:
        """The contents of blobs, by their object ids; an empty one for what is missing, binary or no blob."""


_NONE = np.empty(0, np.uint32)
NOTHING = Content(_NONE, _NONE.astype(np.float32), _NONE, _NONE.astype(np.float32), _NONE, _NONE, 0)


def read(data: bytes | None) -> Content:
    """The content of a blob."""
    if not data or b"\0" in data[:8000]:
        return NOTHING
    text = data[:MAX_BYTES].decode("utf-8", "replace")
    identifiers = Counter(IDENTIFIER.findall(text))
    names: Counter[int] = Counter()
    words: Counter[int] = Counter()
    for identifier, count in identifiers.items():
        if len(identifier) <= LONGEST:
            names[number(identifier)] += count
            for part in part_numbers(identifier):
                words[part] += count
    definitions = {name for name in _DEFINITION.findall(text) if len(name) <= LONGEST}
    defined = _sorted(map(number, definitions))
    defined_words = _sorted(part for name in definitions for part in part_numbers(name))
    return Content(*pack(words), *pack(names), defined, defined_words, text.count("\n") + 1)


def numbers(content: Content) -> bytes:
    """A content as bytes, to keep."""
    terms = (content.words, content.names, content.defined, content.defined_words)
    sizes = np.array([content.lines, *map(len, terms)], np.uint32)
    counts = (np.minimum(part, 65535).astype(np.uint16) for part in (content.word_counts, content.name_counts))
    return b"".join([sizes.tobytes(), *(part.tobytes() for part in terms), *(part.tobytes() for part in counts)])


def from_numbers(data: bytes) -> Content:
    """The content that `numbers` wrote."""
    lines, *sizes = np.frombuffer(data, np.uint32, 5).tolist()
    terms = np.frombuffer(data, np.uint32, sum(sizes), 20)
    counts = np.frombuffer(data, np.uint16, sizes[0] + sizes[1], 20 + terms.nbytes).astype(np.float32)
    first, second, third = sizes[0], sizes[0] + sizes[1], sizes[0] + sizes[1] + sizes[2]
    parts = terms[:first], counts[:first], terms[first:second], counts[first:], terms[second:third], terms[third:]
    return Content(*parts, lines)


def _sorted(terms: Iterable[int]) -> Terms:
    return np.unique(np.fromiter(terms, np.uint32))
