"""Code that an earlier split already holds: found exactly by a hash, nearly by MinHash.

A change shows code that is mostly what the same symbol was before. That is history continuing, not a leak, so a near
copy counts only where the nearest earlier code is another symbol's. The same code twice (a cherry-pick, a revert, a
copied file) always counts.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.dataset.history import TokenHistory
from core.dataset.splits import Split

Hashes = NDArray[np.uint64]
SHINGLE = 5
"""Consecutive tokens that are compared as one."""
BANDS, ROWS = 16, 4
"""64 minima in bands of 4: two codes that share .8 of their shingles meet in a band with probability .9998."""
_MOST_IN_A_BAND = 64
"""Boilerplate fills a band with thousands of codes; comparing with all of them would be quadratic."""
_MOST_VERIFIED = 4
"""Exact comparisons for each code, of the candidates whose minima agree most."""
_SLACK = 0.15
"""An estimate from 64 minima is off by more than this in one case of a hundred, so candidates are taken this early."""
_BLOCK_TOKENS = 1 << 20


@dataclass(frozen=True)
class Duplicate:
    """A sequence of a held-out split whose code an earlier split holds."""

    sequence: int
    of: int
    """The earlier sequence."""
    kind: Literal["exact", "near", "earlier version"]
    similarity: float
    """Share of common shingles (Jaccard)."""


def find(
    history: TokenHistory, splits: Sequence[Split], *, least_tokens: int, similarity: float
) -> dict[str, list[Duplicate]]:
    """For each split but the first: its sequences with at least `least_tokens` of code that earlier splits hold."""
    sequences = {one.name: _long_enough(history, one, least_tokens) for one in splits}
    signatures = _Signatures(history, [number for numbers in sequences.values() for number in numbers])
    earlier: dict[bytes, int] = {}
    # By code and symbol: of equal codes, that of the same symbol must stay a candidate, or its next version would
    # count as a copy of another symbol.
    known: dict[tuple[bytes, str, str], int] = {}
    found: dict[str, list[Duplicate]] = {}
    for place, one in enumerate(splits):
        digests = {number: digest(history.code(number)) for number in sequences[one.name]}
        if place:
            exact = [Duplicate(n, earlier[d], "exact", 1.0) for n, d in digests.items() if d in earlier]
            rest = [number for number, d in digests.items() if d not in earlier]
            found[one.name] = sorted(
                [*exact, *_near(history, signatures, list(known.values()), rest, similarity)],
                key=lambda duplicate: duplicate.sequence,
            )
        for number, d in digests.items():
            earlier.setdefault(d, number)
            known[d, *_symbol(history.metadata[number])] = number
    return found


def digest(code: NDArray[np.int32]) -> bytes:
    """A digest of consecutive tokens."""
    return hashlib.blake2b(np.ascontiguousarray(code).tobytes(), digest_size=16).digest()


def _long_enough(history: TokenHistory, one: Split, least: int) -> list[int]:
    return [
        number
        for commit in one.commits
        for number in range(commit.first, commit.last)
        if history.bodies[number] >= 0 and len(history.code(number)) >= max(least, SHINGLE)
    ]


def _near(
    history: TokenHistory, signatures: _Signatures, earlier: Sequence[int], held_out: Sequence[int], similarity: float
) -> Iterator[Duplicate]:
    candidates = signatures.candidates(earlier, held_out)
    for number in held_out:
        near = candidates.get(number, set())
        # Earlier versions and other symbols are ranked apart, so that neither crowds the other out.
        was = {other for other in near if _is_earlier_version(history.metadata[other], history.metadata[number])}
        likely = [
            other for some in (was, near - was) for other in signatures.likeliest(number, some, similarity - _SLACK)
        ]
        own = shingles(history.code(number))
        scored = [(_jaccard(own, shingles(history.code(other))), other in was, other) for other in likely]
        alike, is_own, other = max(scored, default=(0.0, False, -1))
        if alike >= similarity:
            yield Duplicate(number, other, "earlier version" if is_own else "near", alike)


def shingles(code: NDArray[np.int32]) -> Hashes:
    """A hash of every SHINGLE consecutive tokens: len(code) - SHINGLE + 1 of them."""
    tokens = code.astype(np.uint64)
    count = len(code) - SHINGLE + 1
    mixed = np.zeros(max(count, 0), np.uint64)
    for place, factor in enumerate(_FACTORS):
        mixed += tokens[place : place + count] * factor
    # A sum of products alone has weak low bits, and minima would then follow the tokens' ids.
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(32))


def _jaccard(one: Hashes, other: Hashes) -> float:
    a, b = np.unique(one), np.unique(other)
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / (len(a) + len(b) - common)


def _symbol(metadata: Mapping[str, Any]) -> tuple[str, str]:
    return metadata["file_path"], metadata["symbol"]


def _is_earlier_version(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether one symbol, by file and name, is what another one was before."""
    if then.get("repository", "") != now.get("repository", ""):
        return False
    names = {_symbol(now)}
    names.add((now.get("old_path", now["file_path"]), now.get("old_symbol", now["symbol"])))
    return _symbol(then) in names


class _Signatures:
    """The minima of 64 random orders over the shingles of each sequence's code (MinHash, Broder 1997)."""

    def __init__(self, history: TokenHistory, sequences: Sequence[int]) -> None:
        self._rows = {number: row for row, number in enumerate(sequences)}
        self._minima = np.empty((len(sequences), BANDS * ROWS), np.uint32)
        for start, end in _blocks(history, sequences):
            parts = [shingles(history.code(number)) for number in sequences[start:end]]
            starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
            joined = np.concatenate(parts)
            for column, (factor, shift) in enumerate(_ORDERS):
                order = ((joined * factor + shift) >> np.uint64(32)).astype(np.uint32)
                self._minima[start:end, column] = np.minimum.reduceat(order, starts)

    def candidates(self, earlier: Sequence[int], wanted: Sequence[int]) -> dict[int, set[int]]:
        """For each of the `wanted` sequences, the earlier ones that agree with it in a whole band."""
        found: dict[int, set[int]] = defaultdict(set)
        if not earlier or not wanted:
            return found
        known, new = (np.array([self._rows[number] for number in numbers]) for numbers in (earlier, wanted))
        numbers, new_numbers = np.array(earlier), np.array(wanted)
        for band in range(BANDS):
            keys, sought = self._keys(known, band), self._keys(new, band)
            order = np.argsort(keys, kind="stable")
            keys = keys[order]
            first, last = np.searchsorted(keys, sought, "left"), np.searchsorted(keys, sought, "right")
            for place in np.flatnonzero(last > first):
                # Of many, take the latest: code copied recently is the most alike.
                stop = last[place]
                start = max(first[place], stop - _MOST_IN_A_BAND)
                found[int(new_numbers[place])].update(numbers[order[start:stop]].tolist())
        return found

    def likeliest(self, number: int, others: Sequence[int] | set[int], least: float) -> list[int]:
        """The few others whose minima agree most."""
        if not others:
            return []
        ordered = np.array(sorted(others, reverse=True))
        rows = [self._rows[other] for other in ordered]
        alike = (self._minima[rows] == self._minima[self._rows[number]]).mean(axis=1)
        best = np.argsort(-alike, kind="stable")[:_MOST_VERIFIED]
        return [int(ordered[place]) for place in best if alike[place] >= least]

    def _keys(self, rows: NDArray[np.int64], band: int) -> Hashes:
        part = self._minima[rows, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
        keys = np.zeros(len(rows), np.uint64)
        for column in range(ROWS):
            keys = (keys ^ part[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(31)
        return keys


def _blocks(history: TokenHistory, sequences: Sequence[int]) -> Iterator[tuple[int, int]]:
    start, size = 0, 0
    for place, number in enumerate(sequences):
        size += len(history.code(number))
        if size >= _BLOCK_TOKENS:
            yield start, place + 1
            start, size = place + 1, 0
    if start < len(sequences):
        yield start, len(sequences)


def _odd_numbers(count: int, seed: int) -> list[np.uint64]:
    drawn = np.random.default_rng(seed).integers(0, 1 << 63, count, dtype=np.uint64)
    return [np.uint64(2 * int(number) % (1 << 64) + 1) for number in drawn]


_FACTORS = _odd_numbers(SHINGLE, 1)
_ORDERS = list(zip(_odd_numbers(BANDS * ROWS, 2), _odd_numbers(BANDS * ROWS, 3), strict=True))
