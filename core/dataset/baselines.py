"""What a model must beat: the bits that counting and compressing need for held-out text.

All figures are bits for everything in the stream, markers too, per byte of the text in it.
"""

from __future__ import annotations

import lzma
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
_BLOCK = 1 << 22
_MOST_PAIRS = 4_000_000
"""Pairs of tokens that are counted at once."""


@dataclass(frozen=True)
class Entropy:
    """Bits for a whole stream, the first token of which is given."""

    bits: float
    tokens: int


def uniform(size: int, stream: Ids) -> Entropy:
    """Every token as likely as any other."""
    asked = max(len(stream) - 1, 0)
    return Entropy(asked * math.log2(max(size, 1)), asked)


def unigram(train: Ids, size: int, stream: Ids) -> Entropy:
    """By frequency in `train`, smoothed as Witten and Bell (1991, method C) do, over a vocabulary of `size`."""
    probability = _unigrams(train, size)
    return Entropy(float(-np.log2(probability[stream[1:]]).sum()), max(len(stream) - 1, 0))


def bigram(train: Ids, size: int, stream: Ids) -> Entropy:
    """By frequency after the token before, interpolated with the unigram (Witten and Bell 1991, method C).

    p(w | h) = (c(h w) + t(h) p(w)) / (c(h) + t(h)), where t(h) is how many different tokens followed h.
    """
    single = _unigrams(train, size)
    before, after = stream[:-1], stream[1:]
    bits = 0.0
    for low, high in _slices(train, size):
        mine = (before >= low) & (before < high)
        history, word = before[mine].astype(np.int64), after[mine].astype(np.int64)
        if not len(history):
            continue
        pairs, counts = _pairs(train, low, high, size)
        of = pairs // size
        times = np.bincount(of - low, weights=counts, minlength=high - low)
        kinds = np.bincount(of - low, minlength=high - low)
        key = history * size + word
        place = np.minimum(np.searchsorted(pairs, key), max(len(pairs) - 1, 0))
        seen = np.where(pairs[place] == key, counts[place], 0) if len(pairs) else np.zeros(len(key))
        follow, different = times[history - low], kinds[history - low]
        mixed = (seen + different * single[word]) / np.maximum(follow + different, 1)
        bits -= float(np.log2(np.where(follow > 0, mixed, single[word])).sum())
    return Entropy(bits, len(after))


def compressed_bits(texts: Iterable[bytes]) -> int:
    """Bits that `xz -6` needs for the texts in a row (8 MB of memory of what came before)."""
    packer = lzma.LZMACompressor(preset=6)
    size = sum(len(packer.compress(text)) for text in texts) + len(packer.flush())
    return 8 * size


def _unigrams(train: Ids, size: int) -> NDArray[np.float64]:
    counts = np.zeros(size, np.int64)
    for start in range(0, len(train), _BLOCK):
        counts += np.bincount(train[start : start + _BLOCK], minlength=size)
    total, kinds = int(counts.sum()), int(np.count_nonzero(counts))
    mixed: NDArray[np.float64] = (counts + kinds / size) / max(total + kinds, 1)
    return mixed if total else np.full(size, 1 / size)


def _slices(train: Ids, size: int) -> Iterator[tuple[int, int]]:
    """Runs of ids that begin at most about _MOST_PAIRS pairs each, so that memory does not grow with the text."""
    counts = np.zeros(size, np.int64)
    for start in range(0, len(train), _BLOCK):
        counts += np.bincount(train[start : start + _BLOCK], minlength=size)
    low, pairs = 0, 0
    for id_, count in enumerate(counts.tolist()):
        if pairs and pairs + count > _MOST_PAIRS:
            yield low, id_
            low, pairs = id_, 0
        pairs += count
    yield low, size


def _pairs(train: Ids, low: int, high: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different pairs that begin with an id of the run, as one number each, sorted; and how often each occurs."""
    found = []
    for start in range(0, max(len(train) - 1, 0), _BLOCK):
        block = train[start : start + _BLOCK + 1].astype(np.int64)
        mine = (block[:-1] >= low) & (block[:-1] < high)
        found.append(block[:-1][mine] * size + block[1:][mine])
    pairs, counts = np.unique(np.concatenate(found) if found else np.empty(0, np.int64), return_counts=True)
    return pairs, counts
