"""The order of the places that answer a question, and how many of them are shown."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from core.code.languages import file_kind
from core.code.test_files import is_test_file
from index.hits import FILE, Hit

MOST = 5
"""Places that are shown unless a policy says otherwise."""
LEAST = 0.1
"""Of the best place's score, that another has which is shown."""
ASIDE = 0.1
"""What a test, a document or a setting counts where the question does not ask for one; code is 1."""
NAMED = 1.0
"""What a place gets for being named in the question; the scores of a search add up to as much."""
_TEST = re.compile(r"tests?::|(?:.*(?:\.|::))?test_\w+$")
"""Symbols that are tests beside the code that they test."""
_TEST_FILE = re.compile(r"_(?:unit)?tests?\.(?:cc|cpp|cxx)$")
"""As C++ has them beside the code."""
_HEADER, _SOURCE = re.compile(r"\.h(?:h|pp|xx)?$"), re.compile(r"\.(?:c|cc|cpp|cxx|m|mm)$")
_ASKED_FOR = {
    "test": re.compile(
        r"\btested\b|\btests\s+(?:of|for)\b|\b(?:unit|regression|integration)\s+tests?\b|\btest\s+(?:suite|case|file)s?\b",
        re.IGNORECASE,
    ),
    "documentation": re.compile(r"\bdoc(?:s|umented|umentation)\b|\b(?:readme|changelog|guide)\b", re.IGNORECASE),
    "configuration": re.compile(
        r"\b(?:configured|workflows?|dependenc(?:y|ies)|requirements?|lint\w*)\b", re.IGNORECASE
    ),
}


def in_order(question: str, hits: Sequence[Hit], held: Sequence[Collection[str]], named: Collection[Hit]) -> list[Hit]:
    """Places with the best first, each with what it was ordered by as its score.

    A search's score counts less, the fewer and the commoner the words of the question are that a place holds (`held`,
    one collection a place). A whole file is left out where a symbol of it is there.
    """
    counts = Counter(word for words in held for word in words)
    rarity = {word: math.log(1 + len(hits) / count) for word, count in counts.items()}
    total = sum(rarity.values()) or 1.0
    found = []
    for hit, words in zip(hits, held, strict=True):
        share = sum(rarity[word] for word in words) / total
        is_named = hit in named
        weight = (hit.score + NAMED * is_named) * math.sqrt(0.1 + share)
        score = weight * (ASIDE if _is_aside(question, hit) else 1.0)
        found.append(replace(hit, score=score, share=0.0 if is_named else hit.share))
    parts = {hit.path for hit in found if hit.kind != FILE}
    exact = [hit for hit in found if hit.kind != FILE or hit.path not in parts]
    return sorted(_defined(exact), key=lambda hit: -hit.score)


def _defined(hits: Sequence[Hit]) -> list[Hit]:
    """Places without declarations in headers whose definition is there, which gets the better of both scores."""
    best: dict[str, float] = {}
    for hit in hits:
        best[hit.symbol] = max(hit.score, best.get(hit.symbol, 0.0))
    defined = {hit.symbol for hit in hits if hit.symbol and _SOURCE.search(hit.path)}
    declared = {hit.symbol for hit in hits if hit.symbol in defined and _HEADER.search(hit.path)}
    return [
        replace(hit, score=best[hit.symbol]) if hit.symbol in declared else hit
        for hit in hits
        if not (hit.symbol in declared and _HEADER.search(hit.path))
    ]


def shown(hits: Sequence[Hit], most: int = MOST) -> list[Hit]:
    """The first places; fewer where the best is far ahead."""
    return [hit for hit in hits[:most] if hit.score >= LEAST * hits[0].score]


def kind_of(hit: Hit) -> str:
    """What a place is: test, documentation, configuration, other, or code."""
    is_test = is_test_file(hit.path) or _TEST_FILE.search(hit.path) or _TEST.match(hit.symbol)
    return "test" if is_test else file_kind(hit.path)


def _is_aside(question: str, hit: Hit) -> bool:
    kind = kind_of(hit)
    return kind != "code" and not (kind in _ASKED_FOR and _ASKED_FOR[kind].search(question))
