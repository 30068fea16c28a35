"""outputs/dataset: a stream packed into blocks, so that each token is trained on once in an epoch.

A Hugging Face `datasets.DatasetDict` on disk. A row holds `input_ids`, a block of the stream; the
block's first token is the last of the block before, since the first token is never a target of
what it sees. `seq_lengths` are the lengths of the commits in the block, in order, the first and last of
which may be cut: the documents' boundaries, whose name is that of TRL's packed datasets. `first_token` is
the block's place in the stream of its split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from datasets import Dataset

Ids = NDArray[np.int32]
_ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Packed:
    """A stream to be packed. `starts` are the places where its commits begin, `weights` how often each counts."""

    stream: Ids
    starts: NDArray[np.int64]
    weights: NDArray[np.float64]


def write(folder: Path, scratch: Path, splits: Mapping[str, Packed], block: int) -> dict[str, int]:
    """Write the packed splits; the number of rows of each. One without rows is left out: the format has no such."""
    from datasets import DatasetDict, disable_progress_bars

    disable_progress_bars()
    made = DatasetDict(
        {
            name: _dataset(packed, block, scratch / f"{name}.arrow")
            for name, packed in splits.items()
            if next(rows(packed, block), None)
        }
    )
    made.save_to_disk(str(folder))
    return {name: len(made[name]) if name in made else 0 for name in splits}


def rows(packed: Packed, block: int) -> Iterator[dict[str, Any]]:
    """The blocks in order, each as often as its commits weigh; a second time only after all stood there once."""
    length = len(packed.stream)
    firsts = np.arange(0, max(length - 1, 0), block - 1)
    times = _times(packed, firsts, block)
    for turn in range(int(times.max(initial=0))):
        for first in firsts[times > turn].tolist():
            last = min(first + block, length)
            begin, end = np.searchsorted(packed.starts, first, "right"), np.searchsorted(packed.starts, last)
            inside = packed.starts[begin:end]
            yield {
                "input_ids": packed.stream[first:last],
                "seq_lengths": np.diff([first, *inside.tolist(), last]).astype(np.int32),
                "first_token": first,
            }


def _times(packed: Packed, firsts: NDArray[np.int64], block: int) -> NDArray[np.int64]:
    """How often each block is taken, so that any stretch of them is taken as often as it weighs."""
    if not len(firsts) or (packed.weights == 1).all():
        return np.ones(len(firsts), np.int64)
    ends = np.append(packed.starts[1:], len(packed.stream))
    upto = np.concatenate([[0.0], np.cumsum((ends - packed.starts) * packed.weights)])
    places = np.append(packed.starts, len(packed.stream))
    lasts = np.minimum(firsts + block, len(packed.stream))
    weight = (np.interp(lasts, places, upto) - np.interp(firsts, places, upto)) / (lasts - firsts)
    summed = np.floor(np.cumsum(weight) + 0.5 + 1e-9).astype(np.int64)
    return np.diff(summed, prepend=0)


def _dataset(packed: Packed, block: int, path: Path) -> Dataset:
    from datasets import Dataset, Features, List, Value
    from datasets.arrow_writer import ArrowWriter
    from datasets.table import MemoryMappedTable

    features = Features(
        {"input_ids": List(Value("int32")), "seq_lengths": List(Value("int32")), "first_token": Value("int64")}
    )
    content = hashlib.blake2b(f"{block}".encode(), digest_size=8)
    with ArrowWriter(path=str(path), features=features, writer_batch_size=_ROWS_AT_ONCE) as writer:
        for row in rows(packed, block):
            content.update(row["input_ids"].tobytes())
            writer.write(row)
        writer.finalize()
    # A fingerprint that follows from the content: the library's own would differ from run to run.
    return Dataset(MemoryMappedTable.from_file(str(path)), fingerprint=content.hexdigest())
