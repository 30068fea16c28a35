"""What xz needs for held-out text: alone, and when it has just read the training text."""

from __future__ import annotations

import lzma
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from core.dataset.streams import texts
from core.text.vocabulary import Vocabulary

MOST_TRAINING_BYTES = 1 << 25
"""Of a longer training text only the newest part is read."""
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 2 * MOST_TRAINING_BYTES}]


def bits(train: NDArray[np.int32], blocks: Iterable[NDArray[np.int32]], vocabulary: Vocabulary) -> tuple[int, int]:
    """(bits alone, bits given the training text) for blocks of tokens, markers spelled out."""
    held_out = b"".join(vocabulary.decode(block.tolist()).encode() for block in blocks)
    known = b"".join(text for text, _ in texts(train, vocabulary))[-MOST_TRAINING_BYTES:]
    alone, before, both = (_size(text) for text in (held_out, known, known + held_out))
    return 8 * alone, 8 * max(both - before, 0)


def _size(text: bytes) -> int:
    return len(lzma.compress(text, format=lzma.FORMAT_RAW, filters=_FILTERS))
