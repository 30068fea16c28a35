"""The tokens of a split in a row: as windows, as blocks, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from core.dataset.blocks import Packed
from core.dataset.history import Ids, TokenHistory
from core.dataset.splits import Split
from core.text.grammar import Marker
from core.text.stream import commit_starts
from core.text.token_files import save, windows
from core.text.vocabulary import Vocabulary

_TEXT_BLOCK = 1 << 16


def stream_of(one: Split, history: TokenHistory) -> Ids:
    """The tokens of a split in a row."""
    parts = [history.ids[start:end] for start, end in one.ranges]
    return np.concatenate(parts) if parts else np.empty(0, np.int32)


def write_windows(path: Path, stream: Ids, context: int, target: int, stride: int, pad_id: int) -> None:
    """Write a training_data file, over a store that holds this split's tokens alone."""
    import torch

    save(path, windows(torch.from_numpy(np.ascontiguousarray(stream)), context, target, stride, pad_id))


def pack(one: Split, stream: Ids, vocabulary: Vocabulary, weights: Mapping[str, float]) -> Packed:
    """A stream with the positions where its commits begin, and their weights by repository (1 unless given)."""
    starts = commit_starts(stream, vocabulary.markers)
    used = [commit for commit in one.commits if any(n not in one.left_out for n in range(commit.first, commit.last))]
    return Packed(stream, starts, np.array([weights.get(commit.repository, 1.0) for commit in used]))


def texts(stream: Ids, vocabulary: Vocabulary) -> Iterator[tuple[bytes, int]]:
    """(text with markers spelled out, bytes of the text without them) of some whole commits at a time."""
    starts = commit_starts(stream, vocabulary.markers)
    first = 0
    while first < len(stream):
        place = np.searchsorted(starts, first + _TEXT_BLOCK)
        last = int(starts[place]) if place < len(starts) else len(stream)
        pieces = vocabulary.pieces(stream[first:last].tolist())
        yield "".join(pieces).encode(), sum(len(piece.encode()) for piece in pieces if type(piece) is not Marker)
        first = last
