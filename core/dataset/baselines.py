"""What a model must beat: the bits that counting and compressing need for held-out text.

All figures are bits for everything in the stream, markers too, per byte of the text in it. Streams may stand in files:
what is counted is cut into parts that fit into memory, and probabilities are made some at a time.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.dataset.lookup import added, counted, find
from core.text.stream import Tokens

Ids = NDArray[np.int32]
Probabilities = NDArray[np.float64]
_BLOCK = 1 << 18
_ADDED_AT_ONCE = 1 << 20
"""At least 128: fewer numbers are added one after the other."""
_MOST_GRAMS = 1 << 22
"""Runs of tokens that are counted at once."""


class Figures(Protocol):
    """Probabilities in memory (an array) or in a file."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Probabilities:
        """Some of them."""

    def __setitem__(self, part: slice, values: Probabilities, /) -> None: ...


class Spool:
    """Probabilities in a file of their own."""

    def __init__(self, path: Path, size: int, value: float) -> None:
        """So many, all of this value."""
        self._path, self._size = path, size
        path.write_bytes(b"")
        for start in range(0, size, _BLOCK):
            self[start : min(start + _BLOCK, size)] = np.full(min(_BLOCK, size - start), value)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice, /) -> Probabilities:
        first, last, _ = part.indices(self._size)
        return np.fromfile(self._path, np.float64, last - first, offset=8 * first)

    def __setitem__(self, part: slice, values: Probabilities, /) -> None:
        with self._path.open("r+b") as file:
            file.seek(8 * part.start)
            values.tofile(file)


@dataclass(frozen=True)
class Entropy:
    """Bits for a whole stream, the first token of which is given."""

    bits: float
    tokens: int

    @classmethod
    def of(cls, probabilities: Figures) -> Entropy:
        """Of the probabilities that its tokens were given."""
        return cls(-_sum_of_logarithms(probabilities, 0, len(probabilities)), len(probabilities))


def _sum_of_logarithms(probabilities: Figures, start: int, count: int) -> float:
    """To base 2, added in halves as numpy adds the items of one array."""
    if count <= _ADDED_AT_ONCE:
        return float(np.log2(probabilities[start : start + count]).sum())
    half = count // 2 - count // 2 % 8
    first = _sum_of_logarithms(probabilities, start, half)
    return first + _sum_of_logarithms(probabilities, start + half, count - half)


def uniform(size: int, stream: Tokens) -> Probabilities:
    """Every token as likely as any other. This and the others: of each token of the stream but the first."""
    return np.full(max(len(stream) - 1, 0), 1 / max(size, 1))


def unigram(train: Tokens, size: int, stream: Tokens, words: Tokens | None = None) -> Probabilities:
    """By frequency in `train`, smoothed as Witten and Bell (1991, method C) do, over a vocabulary of `size`.

    This and the longer ones: with `words`, the probability of these in the places of the stream's own tokens.
    """
    return _ngram(0, train, size, stream, words)


def bigram(train: Tokens, size: int, stream: Tokens, words: Tokens | None = None) -> Probabilities:
    """By frequency after the token before, interpolated with the unigram (Witten and Bell 1991, method C).

    p(w | h) = (c(h w) + t(h) p(w)) / (c(h) + t(h)), where t(h) is how many different tokens followed h.
    """
    return _ngram(1, train, size, stream, words)


def trigram(train: Tokens, size: int, stream: Tokens, words: Tokens | None = None) -> Probabilities:
    """By frequency after the two tokens before, interpolated with the bigram in the same way."""
    return _ngram(2, train, size, stream, words)


def _ngram(order: int, train: Tokens, size: int, stream: Tokens, words: Tokens | None) -> Probabilities:
    asked = Asked(stream, words, np.empty(max(len(stream) - 1, 0)))
    for longer in range(order + 1):
        refine([asked], longer, train, size)
    made: Probabilities = asked.probabilities[:]
    return made


@dataclass(frozen=True)
class Asked:
    """Words whose probabilities are asked for: `words[i]`, or the stream's own, behind `stream[: i + 1]`."""

    stream: Tokens
    words: Tokens | None
    probabilities: Figures

    def blocks(self, order: int) -> Iterator[tuple[slice, NDArray[np.int64]]]:
        """Places that have so many tokens before them, some at a time, and these tokens with the word, a row each."""
        for start in range(max(order - 1, 0), len(self.probabilities), _BLOCK):
            part = slice(start, min(start + _BLOCK, len(self.probabilities)))
            before = self.stream[part.start + 1 - order : part.stop].astype(np.int64) if order else None
            columns = [] if before is None else list(np.lib.stride_tricks.sliding_window_view(before, order).T)
            words = self.stream[part.start + 1 : part.stop + 1] if self.words is None else self.words[part]
            yield part, np.stack([*columns, words.astype(np.int64)])


def refine(asked: Iterable[Asked], order: int, train: Tokens, size: int) -> None:
    """Replace the probabilities, made with one token less before each word, by those with `order` tokens before.

    The counts of `train` are made once for all that is asked.
    """
    if not order:
        single = _unigrams(train, size)
        for one in asked:
            for part, (words,) in one.blocks(0):
                one.probabilities[part] = single[words]
        return
    parts = 1 << (max(len(train) - 1, 0) // _MOST_GRAMS).bit_length()
    for number in range(parts):
        counts = _Counts.of(train, order, size, number, parts)
        for one in asked:
            for part, tokens in one.blocks(order):
                histories = _coded(tokens[:-1], size)
                mine = _part_of(histories, parts) == number
                lower = one.probabilities[part]
                lower[mine] = counts.interpolated(histories[mine], tokens[-1][mine], lower[mine])
                one.probabilities[part] = lower


@dataclass(frozen=True)
class _Counts:
    """How often runs of tokens occur; a run is one number, of its tokens' ids as digits."""

    size: int
    grams: NDArray[np.int64]
    times: NDArray[np.int64]
    histories: NDArray[np.int64]
    """What stands before the last token of the runs."""
    followed: NDArray[np.int64]
    """How often something followed each."""
    kinds: NDArray[np.int64]
    """How many different tokens did."""

    @classmethod
    def of(cls, train: Tokens, order: int, size: int, number: int, parts: int) -> _Counts:
        """Of all runs of `order` + 1 tokens whose history is in one of so many parts."""
        grams, times = np.empty(0, np.int64), np.empty(0, np.int64)
        found: list[NDArray[np.int64]] = []
        for start in range(0, len(train) - order, _BLOCK):
            block = train[start : start + _BLOCK + order].astype(np.int64)
            *before, words = np.lib.stride_tricks.sliding_window_view(block, order + 1).T
            histories = _coded(before, size)
            mine = _part_of(histories, parts) == number
            found.append(histories[mine] * size + words[mine])
            if sum(map(len, found)) > _MOST_GRAMS:  # a history that is everywhere, such as a line break
                grams, times = added((grams, times), counted(np.concatenate(found)))
                found = []
        grams, times = added((grams, times), counted(np.concatenate([grams[:0], *found])))
        starts = np.flatnonzero(np.diff(grams // size, prepend=-1))
        followed = np.add.reduceat(times, starts) if len(starts) else times
        return cls(size, grams, times, grams[starts] // size, followed, np.diff(starts, append=len(grams)))

    def interpolated(
        self, histories: NDArray[np.int64], words: NDArray[np.int64], lower: Probabilities
    ) -> Probabilities:
        """Witten-Bell probabilities of words; `lower` is what they get with one token less before them."""
        place, gram = find(self.histories, histories), find(self.grams, histories * self.size + words)
        if not len(self.grams):
            return lower
        followed, kinds = (np.where(place >= 0, column[place], 0) for column in (self.followed, self.kinds))
        seen = np.where(gram >= 0, self.times[gram], 0)
        mixed: Probabilities = np.where(followed > 0, (seen + kinds * lower) / np.maximum(followed + kinds, 1), lower)
        return mixed


def _coded(columns: Iterable[NDArray[np.int64]], size: int) -> NDArray[np.int64]:
    """Some ids in a row as one number, for each row."""
    first, *more = columns
    coded: NDArray[np.int64] = first
    for column in more:
        coded = coded * size + column
    return coded


def _part_of(histories: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """Which of so many parts, a power of two, a history is in; the parts are about as large as each other."""
    return (histories * 0x9E3779B97F4A7C1) >> 40 & (parts - 1)


def compressed_bits(texts: Iterable[bytes]) -> int:
    """Bits that `xz -6` needs for the texts in a row (8 MB of memory of what came before)."""
    packer = lzma.LZMACompressor(preset=6)
    size = sum(len(packer.compress(text)) for text in texts) + len(packer.flush())
    return 8 * size


def _unigrams(train: Tokens, size: int) -> Probabilities:
    counts = np.zeros(size, np.int64)
    for start in range(0, len(train), _BLOCK):
        counts += np.bincount(train[start : start + _BLOCK], minlength=size)
    total, kinds = int(counts.sum()), int(np.count_nonzero(counts))
    mixed: Probabilities = (counts + kinds / size) / max(total + kinds, 1)
    return mixed if total else np.full(size, 1 / size)
