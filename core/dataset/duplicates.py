"""Code that an earlier split already holds: found exactly by a hash, nearly by MinHash.

A change shows code that is mostly what the same symbol was before. That is history continuing, not a leak, so a near
copy counts only where the nearest earlier code is another symbol's. The same code twice (a cherry-pick, a revert, a
copied file) always counts.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.dataset.history import TokenHistory
from core.dataset.lookup import find as find_in
from core.dataset.splits import Split
from core.text.stream import Positions

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
_BLOCK_TOKENS = 1 << 16
_AT_ONCE = 1000
"""Sequences whose candidates are in memory at once."""


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
    parts = [_long_enough(history, one, least_tokens) for one in splits]
    sequences = np.concatenate(parts)
    digests = np.array([digest(history.code(number)) for number in sequences.tolist()], np.uint64)
    signatures = _Signatures(history, sequences)
    found: dict[str, list[Duplicate]] = {}
    starts = np.cumsum([0, *map(len, parts)]).tolist()
    for one, (start, end) in zip(splits[1:], itertools.pairwise(starts[1:]), strict=True):
        known, first = np.unique(digests[:start], return_index=True)
        of = find_in(known, digests[start:end])
        copied = np.flatnonzero(of >= 0)
        exact = [
            Duplicate(number, earlier, "exact", 1.0)
            for number, earlier in zip(
                sequences[start + copied].tolist(), sequences[first[of[copied]]].tolist(), strict=True
            )
        ]
        candidates = _last_of_each(digests[:start], history.abouts.symbols[sequences[:start]])
        rest = start + np.flatnonzero(of < 0)
        near = _near(history, signatures, candidates, rest, similarity)
        found[one.name] = sorted([*exact, *near], key=lambda duplicate: duplicate.sequence)
    return found


def digest(code: NDArray[np.int32]) -> int:
    """A digest of consecutive tokens, in 64 bits."""
    return int.from_bytes(hashlib.blake2b(np.ascontiguousarray(code).tobytes(), digest_size=8).digest(), "little")


def _long_enough(history: TokenHistory, one: Split, least: int) -> Positions:
    runs = [np.arange(commit.first, commit.last) for commit in one.commits]
    numbers = np.concatenate(runs) if runs else np.empty(0, np.int64)
    return numbers[(history.bodies[numbers] >= 0) & (history.code_lengths[numbers] >= max(least, SHINGLE))]


def _last_of_each(digests: Hashes, symbols: Hashes) -> Positions:
    """The last row of each code and symbol, in the order of the first ones.

    Of equal codes, that of the same symbol must stay a candidate, or its next version would count as a copy of
    another symbol.
    """
    keys = _mixed(digests) ^ symbols
    _, first = np.unique(keys, return_index=True)
    _, last = np.unique(keys[::-1], return_index=True)
    rows: Positions = (len(keys) - 1 - last)[np.argsort(first)]
    return rows


def _near(
    history: TokenHistory, signatures: _Signatures, earlier: Positions, rest: Positions, similarity: float
) -> Iterator[Duplicate]:
    """Near copies of code among the rows `rest`; rows are those of the signatures."""
    abouts = history.abouts
    sequences = signatures.sequences
    symbols, befores, repositories = (
        column[sequences] for column in (abouts.symbols, abouts.earlier_symbols, abouts.repositories)
    )
    for row, near in signatures.candidates(earlier, rest):
        # Earlier versions and other symbols are ranked apart, so that neither crowds the other out.
        same = (symbols[near] == symbols[row]) | (symbols[near] == befores[row])
        was = same & (repositories[near] == repositories[row])
        own = np.unique(shingles(history.code(int(sequences[row]))))
        scored = [
            (_jaccard(own, np.unique(shingles(history.code(int(sequences[other]))))), is_own, int(sequences[other]))
            for is_own, some in ((True, near[was]), (False, near[~was]))
            for other in signatures.likeliest(row, some, similarity - _SLACK)
        ]
        alike, is_own, of = max(scored, default=(0.0, False, -1))
        if alike >= similarity:
            yield Duplicate(int(sequences[row]), of, "earlier version" if is_own else "near", alike)


def shingles(code: NDArray[np.int32]) -> Hashes:
    """A hash of every SHINGLE consecutive tokens: len(code) - SHINGLE + 1 of them."""
    tokens = code.astype(np.uint64)
    count = len(code) - SHINGLE + 1
    mixed = np.zeros(max(count, 0), np.uint64)
    for place, factor in enumerate(_FACTORS):
        mixed += tokens[place : place + count] * factor
    return _mixed(mixed)


def _mixed(numbers: Hashes) -> Hashes:
    """Numbers all of whose bits depend on all bits: minima of a sum of products would follow the tokens' ids."""
    mixed: Hashes = numbers ^ (numbers >> np.uint64(29))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return mixed


def _jaccard(a: Hashes, b: Hashes) -> float:
    """Of two sets, each ordered."""
    common = int(np.count_nonzero(find_in(a, b) >= 0))
    return common / (len(a) + len(b) - common)


class _Signatures:
    """The minima of 64 random orders over the shingles of each sequence's code (MinHash, Broder 1997), one a row."""

    def __init__(self, history: TokenHistory, sequences: Positions) -> None:
        self.sequences = sequences
        self._minima = np.empty((len(sequences), BANDS * ROWS), np.uint32)
        for start, end in _blocks(history.code_lengths[sequences]):
            parts = [shingles(history.code(number)) for number in sequences[start:end].tolist()]
            starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
            joined = np.concatenate(parts)
            for column, (factor, shift) in enumerate(_ORDERS):
                order = ((joined * factor + shift) >> np.uint64(32)).astype(np.uint32)
                self._minima[start:end, column] = np.minimum.reduceat(order, starts)

    def candidates(self, earlier: Positions, wanted: Positions) -> Iterator[tuple[int, Positions]]:
        """For each wanted row, the earlier rows (if any) that agree with it in a whole band, latest sequence first."""
        bands = []
        for band in range(BANDS):
            keys = self._keys(earlier, band)
            order = np.argsort(keys, kind="stable")
            bands.append((keys[order], earlier[order].astype(np.int32)))
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            found: list[list[NDArray[np.int32]]] = [[] for _ in some]
            for band, (keys, rows) in enumerate(bands):
                sought = self._keys(some, band)
                first, last = np.searchsorted(keys, sought, "left"), np.searchsorted(keys, sought, "right")
                for place in np.flatnonzero(last > first):
                    # Of many, take the latest: code copied recently is the most alike.
                    found[place].append(rows[max(first[place], last[place] - _MOST_IN_A_BAND) : last[place]])
            for row, near in zip(some.tolist(), found, strict=True):
                if near:
                    agreeing = np.unique(np.concatenate(near)).astype(np.int64)
                    yield row, agreeing[np.argsort(-self.sequences[agreeing])]

    def likeliest(self, row: int, others: Positions, least: float) -> list[int]:
        """The few of other rows whose minima agree most; of equal ones, the first."""
        if not len(others):
            return []
        alike = (self._minima[others] == self._minima[row]).mean(axis=1)
        best = np.argsort(-alike, kind="stable")[:_MOST_VERIFIED]
        return [int(others[place]) for place in best if alike[place] >= least]

    def _keys(self, rows: NDArray[np.int64], band: int) -> Hashes:
        part = self._minima[rows, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
        keys = np.zeros(len(rows), np.uint64)
        for column in range(ROWS):
            keys = (keys ^ part[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(31)
        return keys


def _blocks(lengths: Positions) -> Iterator[tuple[int, int]]:
    """Runs of codes with about _BLOCK_TOKENS each."""
    start, size = 0, 0
    for place, length in enumerate(lengths.tolist()):
        size += length
        if size >= _BLOCK_TOKENS:
            yield start, place + 1
            start, size = place + 1, 0
    if start < len(lengths):
        yield start, len(lengths)


def _odd_numbers(count: int, seed: int) -> list[np.uint64]:
    drawn = np.random.default_rng(seed).integers(0, 1 << 63, count, dtype=np.uint64)
    return [np.uint64(2 * int(number) % (1 << 64) + 1) for number in drawn]


_FACTORS = _odd_numbers(SHINGLE, 1)
_ORDERS = list(zip(_odd_numbers(BANDS * ROWS, 2), _odd_numbers(BANDS * ROWS, 3), strict=True))
