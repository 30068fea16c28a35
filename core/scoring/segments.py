"""A run of tokens sorted by what stands before each, so that what followed a context is found without reading the run.

Tokens are kept in reverse: what stands before one is then read behind it, the nearest first. `order` are the places of
the tokens, sorted by the CONTEXT_TOKENS tokens that are read behind them. Equal contexts are neighbours in it, which
a binary search finds; the lowest place among them is the most recent one. The bytes of a segment may be a file that is
mapped into memory, of which a search reads a few pages.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.records.copying import IdBytes

CONTEXT_TOKENS = 32
_BLOCK = 256
"""Places whose minimum is kept."""
_PLACE = np.dtype("<u4")


def id_bytes(vocabulary_size: int) -> IdBytes:
    """Bytes that each id of a vocabulary takes."""
    return 2 if vocabulary_size <= 1 << 16 else 4


def as_read(context: NDArray[Any], size: int) -> bytes:
    """The last tokens of a context as a segment holds them: the nearest first, `size` bytes each."""
    return context[-CONTEXT_TOKENS:][::-1].astype(f">u{size}").tobytes()


@dataclass(eq=False)
class Segment:
    """Some consecutive tokens of a history; the `lead` tokens before them are contexts only."""

    tokens: int
    lead: int
    size: int
    """Bytes of an id."""
    data: bytes | mmap.mmap
    """Places in order, the minimum of each block of them, all ids in reverse."""
    _order: NDArray[np.uint32] = field(init=False, repr=False)
    _minima: NDArray[np.uint32] = field(init=False, repr=False)
    _first: int = field(init=False, repr=False)
    """Where in `data` the ids begin."""

    def __post_init__(self) -> None:
        blocks = -(-self.tokens // _BLOCK)
        places = np.frombuffer(self.data, _PLACE, self.tokens + blocks)
        self._order, self._minima, self._first = places[: self.tokens], places[self.tokens :], places.nbytes

    @classmethod
    def of(cls, ids: NDArray[Any], lead: int, size: int) -> Segment:
        """Sort all ids (1-D, at least one more than `lead`) but the first `lead`."""
        backward = ids[::-1].astype(f">u{size}")
        order = sorted_places(backward, len(ids) - lead)
        minima = np.minimum.reduceat(order, np.arange(0, len(order), _BLOCK))
        return cls(len(order), lead, size, b"".join(part.tobytes() for part in (order, minima, backward)))

    @classmethod
    def bytes_of(cls, tokens: int, lead: int, size: int) -> int:
        """How long the bytes of such a segment are."""
        return _PLACE.itemsize * (tokens - (-tokens // _BLOCK)) + size * (tokens + lead)

    @property
    def backward(self) -> NDArray[Any]:
        """All ids, the newest first; the last `lead` are contexts only."""
        return np.frombuffer(self.data, f">u{self.size}", self.tokens + self.lead, self._first)

    def longest(self, context: bytes) -> int:
        """How many tokens the longest part has that occurs here, counted from the nearest token on."""
        context_at = self._reader(len(context))
        place = bisect_left(range(self.tokens), context, key=context_at)
        neighbours = range(max(place - 1, 0), min(place + 1, self.tokens))
        return max(_common_bytes(context, context_at(number)) // self.size for number in neighbours)

    def following(self, context: bytes) -> int:
        """The id that followed the most recent occurrence of a context that does occur here."""
        everywhere, context_at = range(self.tokens), self._reader(len(context))
        first = bisect_left(everywhere, context, key=context_at)
        last = bisect_right(everywhere, context, lo=first, key=context_at)
        at = self._first + self._least(first, last) * self.size
        return int.from_bytes(self.data[at : at + self.size])

    def _reader(self, length: int) -> Callable[[int], bytes]:
        """What gives the first `length` bytes of the context at a number in the order."""
        data, place, size, begin = self.data, self._order.item, self.size, self._first + self.size

        def context_at(number: int) -> bytes:
            at = begin + place(number) * size
            return data[at : at + length]

        return context_at

    def _least(self, first: int, last: int) -> int:
        """The lowest of the places at `first` to `last` - 1 in the order."""
        begin, end = -(-first // _BLOCK), last // _BLOCK
        if begin >= end:
            return int(self._order[first:last].min())
        parts = (self._order[first : begin * _BLOCK], self._minima[begin:end], self._order[end * _BLOCK : last])
        return min(int(part.min()) for part in parts if len(part))


def sorted_places(backward: NDArray[Any], count: int) -> NDArray[np.uint32]:
    """The first `count` places of some ids (1-D), sorted by the CONTEXT_TOKENS ids behind each.

    Where the ids end sooner, what is missing sorts first. By prefix doubling: ranks by so many ids, twice as many, …
    """
    bits = (int(backward.max()) + 1).bit_length()
    known = min(64 // bits, CONTEXT_TOKENS)
    keys = np.zeros(len(backward) + 1, np.uint64)  # the last one is of no ids at all
    for number in range(known):
        keys <<= np.uint64(bits)
        further = backward[number:].astype(np.uint64) + np.uint64(1)
        keys[: len(further)] |= further
    order = np.argsort(keys)
    while known < CONTEXT_TOKENS:
        ranks = _ranks(keys, order)
        del keys, order  # each takes eight bytes a token
        more = min(known, CONTEXT_TOKENS - known)
        keys, further = ranks.astype(np.uint64), ranks[more:]
        keys <<= np.uint64(32)
        keys[: len(further)] |= further
        known += more
        order = np.argsort(keys)
    return (order[(order >= 1) & (order <= count)] - 1).astype(_PLACE)


def _ranks(keys: NDArray[np.uint64], order: NDArray[np.int64]) -> NDArray[np.uint32]:
    """For each key how many different ones are lower."""
    ordered = keys[order]
    ranks = np.zeros(len(keys), np.uint32)
    ranks[order[1:]] = np.cumsum(ordered[1:] != ordered[:-1], dtype=np.uint32)
    return ranks


def _common_bytes(one: bytes, other: bytes) -> int:
    length = min(len(one), len(other))
    differing = int.from_bytes(one[:length]) ^ int.from_bytes(other[:length])
    return length - (differing.bit_length() + 7) // 8
