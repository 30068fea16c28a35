"""N-grams of token ids: hashes of all of them, and how many of a stream's occur in another one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NGRAM_TOKENS = 32
"""An n-gram of this length that occurs in both streams is not a coincidence."""


class NgramHashes:
    """64-bit hashes of all n-grams of a stream (ids, 1-D int64), each at the position of its last token."""

    _FACTOR = np.uint64(0x9E3779B97F4A7C15)

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self.ids = ids
        mixed = (ids.astype(np.uint64) + np.uint64(1)) * np.uint64(0xBF58476D1CE4E5B9)
        self._made: dict[int, NDArray[np.uint64]] = {1: mixed ^ (mixed >> np.uint64(29))}

    def of(self, length: int) -> NDArray[np.uint64]:
        """Hashes of the n-grams of `length` tokens; the first `length - 1` are of shorter ones."""
        # A long n-gram is hashed from its two halves, so all lengths together cost few passes over the stream.
        if length not in self._made:
            half = length // 2
            left, right = self.of(length - half), self.of(half)
            made = right.copy()
            made[half:] = (right[half:] ^ (left[:-half] * self._FACTOR + np.uint64(half))) * np.uint64(
                0x94D049BB133111EB
            )
            self._made[length] = made ^ (made >> np.uint64(31))
        return self._made[length]


def share_seen(train: NDArray[Any], held_out: NDArray[Any]) -> float:
    """Share of the held-out tokens (ids, 1-D) that are in an n-gram of NGRAM_TOKENS which `train` has, too."""
    if len(held_out) < NGRAM_TOKENS or len(train) < NGRAM_TOKENS:
        return 0.0
    known, wanted = (
        NgramHashes(ids.astype(np.int64)).of(NGRAM_TOKENS)[NGRAM_TOKENS - 1 :] for ids in (train, held_out)
    )
    ends = np.flatnonzero(np.isin(wanted, np.unique(known))) + NGRAM_TOKENS - 1
    # +1 where an n-gram begins and -1 behind it: the running sum counts the n-grams that cover a token.
    covered = np.zeros(len(held_out) + 1, np.int64)
    np.add.at(covered, ends - NGRAM_TOKENS + 1, 1)
    np.add.at(covered, ends + 1, -1)
    return float((np.cumsum(covered[:-1]) > 0).mean())
