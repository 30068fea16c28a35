"""The tokens of a split in a row: as windows, as blocks, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from core.dataset.blocks import Packed
from core.dataset.history import Ids, TokenHistory
from core.dataset.splits import Split
from core.text.grammar import Marker
from core.text.stream import CHANGE_STARTS, Tokens, commit_starts, positions
from core.text.vocabulary import Vocabulary

_TEXT_BLOCK = 1 << 13


class SplitTokens:
    """The tokens of a split in a row, read from the history where they are asked for."""

    def __init__(self, one: Split, history: TokenHistory) -> None:
        self._ids = history.ids
        self._places = np.array([start for start, _ in one.ranges], np.int64)
        self._starts = np.cumsum([0, *(end - start for start, end in one.ranges)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, part: slice, /) -> Ids:
        first, last, _ = part.indices(len(self))
        numbers = range(
            int(np.searchsorted(self._starts, first, "right")) - 1, int(np.searchsorted(self._starts, last))
        )
        pieces = []
        for number in numbers:
            shift = int(self._places[number] - self._starts[number])
            end = min(last, int(self._starts[number + 1]))
            pieces.append(self._ids[max(first, int(self._starts[number])) + shift : end + shift])
        return np.concatenate(pieces) if pieces else np.empty(0, np.int32)


def pack(one: Split, stream: Tokens, vocabulary: Vocabulary, weights: Mapping[str, float]) -> Packed:
    """A stream with the positions where its commits begin, and their weights by repository (1 unless given)."""
    starts = commit_starts(stream, vocabulary.markers)
    used = [commit for commit in one.commits if any(n not in one.left_out for n in range(commit.first, commit.last))]
    return Packed(stream, starts, np.array([weights.get(commit.repository, 1.0) for commit in used]))


def texts(stream: Tokens, vocabulary: Vocabulary) -> Iterator[tuple[bytes, int]]:
    """(text with markers spelled out, bytes of the text without them) of the stream, some changes at a time."""
    starts = positions(stream, vocabulary.markers, *CHANGE_STARTS)
    first = 0
    while first < len(stream):
        place = np.searchsorted(starts, first + _TEXT_BLOCK)
        last = int(starts[place]) if place < len(starts) else len(stream)
        pieces = vocabulary.pieces(stream[first:last].tolist())
        yield "".join(pieces).encode(), sum(len(piece.encode()) for piece in pieces if type(piece) is not Marker)
        first = last
