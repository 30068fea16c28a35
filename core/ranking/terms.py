"""Words as they are compared: identifiers cut into their parts, parts reduced to a stem, both as numbers.

A term is the CRC-32 of its text: a question has at most some hundred terms, so that two of them meet by chance in one
repository of a hundred, and nothing has to remember a vocabulary.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Terms = NDArray[np.uint32]
Counts = NDArray[np.float32]

IDENTIFIER = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_PART_BEYOND_ASCII = re.compile(r"[^\W\d_]+|\d+")
_STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "has",
        "have",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "so",
        "such",
        "than",
        "that",
        "the",
        "their",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "was",
        "we",
        "were",
        "when",
        "which",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)
LONGEST = 64
"""Characters of an identifier; what is longer is data."""


def number(text: str) -> int:
    """The term that a text is."""
    return zlib.crc32(text.encode())


def split(identifier: str) -> list[str]:
    """An identifier's parts in lower case: `parseHTTPHeaders` has parse, http and headers."""
    pattern = _PART if identifier.isascii() else _PART_BEYOND_ASCII
    return [part.lower() for part in pattern.findall(identifier[:LONGEST])]


@functools.lru_cache(maxsize=1 << 18)
def parts(identifier: str) -> tuple[str, ...]:
    """The stems of an identifier's parts: `parseHTTPHeaders` has parse, http and header."""
    found = map(stem, split(identifier))
    return tuple(part for part in found if len(part) > 1 and part not in _STOP_WORDS)


@functools.lru_cache(maxsize=1 << 18)
def part_numbers(identifier: str) -> tuple[int, ...]:
    """The same as terms."""
    return tuple(map(number, parts(identifier)))


@functools.lru_cache(maxsize=1 << 18)
def stem(word: str) -> str:
    """A lower-case word without its commonest English endings, where enough is left of it."""
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-1]
    elif len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if len(word) > 3 and word[-1] == "y" and word[-2] not in "aeiou":
        return f"{word[:-1]}i"
    return word.removesuffix("e") if len(word) > 4 else word


def words(text: str) -> list[str]:
    """Stems of a text in order, stop words left out."""
    return [part for identifier in IDENTIFIER.findall(text) for part in parts(identifier)]


def counted(terms: Iterable[str]) -> tuple[Terms, Counts]:
    """(terms in rising order, how often each occurs)."""
    return pack(Counter(map(number, terms)))


def pack(counts: Counter[int]) -> tuple[Terms, Counts]:
    """The same of numbers that are counted already."""
    terms = np.fromiter(counts, np.uint32, len(counts))
    order = np.argsort(terms)
    return terms[order], np.fromiter(counts.values(), np.float32, len(counts))[order]
