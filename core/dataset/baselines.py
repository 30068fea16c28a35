"""What a model must beat: the bits that counting and compressing need for held-out text.

All figures are bits for everything in the stream, markers too, per byte of the text in it.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Probabilities = NDArray[np.float64]
_BLOCK = 1 << 22
_MOST_PAIRS = 4_000_000
"""Pairs of tokens that are counted at once."""


@dataclass(frozen=True)
class Entropy:
    """Bits for a whole stream, the first token of which is given."""

    bits: float
    tokens: int

    @classmethod
    def of(cls, probabilities: Probabilities) -> Entropy:
        """Of the probabilities that its tokens were given."""
        return cls(float(-np.log2(probabilities).sum()), len(probabilities))


def uniform(size: int, stream: Ids) -> Probabilities:
    """Every token as likely as any other. This and the others: of each token of the stream but the first."""
    return np.full(max(len(stream) - 1, 0), 1 / max(size, 1))


def unigram(train: Ids, size: int, stream: Ids, words: Ids | None = None) -> Probabilities:
    """By frequency in `train`, smoothed as Witten and Bell (1991, method C) do, over a vocabulary of `size`.

    This and the longer ones: with `words`, the probability of these in the places of the stream's own tokens.
    """
    probability: Probabilities = _unigrams(train, size)[stream[1:] if words is None else words]
    return probability


def bigram(train: Ids, size: int, stream: Ids, words: Ids | None = None) -> Probabilities:
    """By frequency after the token before, interpolated with the unigram (Witten and Bell 1991, method C).

    p(w | h) = (c(h w) + t(h) p(w)) / (c(h) + t(h)), where t(h) is how many different tokens followed h.
    """
    mixed = unigram(train, size, stream, words)
    before, after = stream[:-1], stream[1:] if words is None else words
    for low, high in _slices(train, size):
        mine = (before >= low) & (before < high)
        history, word = before[mine].astype(np.int64), after[mine].astype(np.int64)
        if len(history):
            pairs, counts = _pairs(train, low, high, size)
            found = _interpolated(pairs // size - low, pairs, counts, history - low, history * size + word, mixed[mine])
            mixed[mine] = found
    return mixed


def trigram(train: Ids, size: int, stream: Ids, words: Ids | None = None) -> Probabilities:
    """By frequency after the two tokens before, interpolated with the bigram in the same way."""
    mixed = bigram(train, size, stream, words)
    if len(train) < 3 or len(stream) < 3:
        return mixed
    ids = train.astype(np.int64)
    histories, of = np.unique(ids[:-2] * size + ids[1:-1], return_inverse=True)
    triples, counts = np.unique(of * size + ids[2:], return_counts=True)
    targets = stream.astype(np.int64)
    wanted = targets[:-2] * size + targets[1:-1]
    place = np.minimum(np.searchsorted(histories, wanted), len(histories) - 1)
    known = histories[place] == wanted
    after = (targets[1:] if words is None else words.astype(np.int64))[1:]
    key = place[known] * size + after[known]
    mixed[1:][known] = _interpolated(triples // size, triples, counts, place[known], key, mixed[1:][known])
    return mixed


def _interpolated(
    of: NDArray[np.int64],
    keys: NDArray[np.int64],
    counts: NDArray[np.int64],
    history: NDArray[np.int64],
    wanted: NDArray[np.int64],
    lower: Probabilities,
) -> Probabilities:
    """Witten-Bell probabilities, given how often each key (a history and what followed it, sorted) was counted.

    `of` is the history of each key, `history` and `wanted` are the histories and keys to look up, `lower` what they get
    with one token less of history.
    """
    most = int(max(of.max(initial=0), history.max(initial=0))) + 1
    times = np.bincount(of, weights=counts, minlength=most)
    kinds = np.bincount(of, minlength=most)
    place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    seen = np.where(keys[place] == wanted, counts[place], 0) if len(keys) else np.zeros(len(wanted))
    follow, different = times[history], kinds[history]
    mixed: Probabilities = np.where(follow > 0, (seen + different * lower) / np.maximum(follow + different, 1), lower)
    return mixed


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
