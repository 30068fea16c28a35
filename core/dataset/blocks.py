"""outputs/dataset: a stream packed into blocks, so that each token is trained on once in an epoch.

A Hugging Face `datasets.DatasetDict` on disk. A row holds `input_ids`, a block of the stream; the
block's first token is the last of the block before, since the first token is never a target of
what it sees. `seq_lengths` are the lengths of the commits in the block, in order, the first and last of
which may be cut: the documents' boundaries, whose name is that of TRL's packed datasets. `first_token` is
the block's place in the stream of its split.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.text.stream import Positions, Tokens

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Features

_ROWS_AT_ONCE = 1000
_SHARD_BYTES = 500_000_000
"""Where the library begins another file of a split."""
_BATCH_BYTES = 100_000_000


@dataclass(frozen=True)
class Packed:
    """A stream to be packed. `starts` are the places where its commits begin, `weights` how often each counts."""

    stream: Tokens
    starts: Positions
    weights: NDArray[np.float64]


def write(folder: Path, scratch: Path, splits: Mapping[str, Packed], block: int) -> dict[str, int]:
    """Write the packed splits; the number of rows of each. One without rows is left out: the format has no such.

    The library writes the folder of splits without rows. Their files of rows are written one batch after the other
    and then take the places of its empty ones: the library's own way maps all rows into memory.
    """
    from datasets import Dataset, DatasetDict, DatasetInfo, disable_progress_bars

    disable_progress_bars()
    made = {name: _write_rows(scratch / f"{name}-rows", packed, block) for name, packed in splits.items()}
    made = {name: files for name, files in made.items() if files.rows}
    features = _features()
    empty = {
        name: Dataset(_empty(features), info=DatasetInfo(features=features), fingerprint=files.fingerprint)
        for name, files in made.items()
    }
    DatasetDict(empty).save_to_disk(str(folder), num_shards={name: len(files.paths) for name, files in made.items()})
    for name, files in made.items():
        for path in files.paths:
            shutil.move(path, folder / name / path.name)
    return {name: made[name].rows if name in made else 0 for name in splits}


def tables(packed: Packed, block: int, rows: int = _ROWS_AT_ONCE) -> Iterator[pa.Table]:
    """The blocks in order, each as often as its commits weigh; a second time only after all stood there once.

    At most `rows` in a table.
    """
    order = _order(packed, block)
    for start in range(0, len(order), rows):
        yield _table(packed, block, order[start : start + rows])


def _order(packed: Packed, block: int) -> Positions:
    """The first token of each row."""
    firsts = np.arange(0, max(len(packed.stream) - 1, 0), block - 1)
    times = _times(packed, firsts, block)
    return np.concatenate([firsts[:0], *(firsts[times > turn] for turn in range(int(times.max(initial=0))))])


def _table(packed: Packed, block: int, firsts: Positions) -> pa.Table:
    import pyarrow as pa

    lasts = np.minimum(firsts + block, len(packed.stream))
    ids = [packed.stream[first:last] for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]
    begins, ends = np.searchsorted(packed.starts, firsts, "right"), np.searchsorted(packed.starts, lasts)
    counts = ends - begins + 1
    edges = np.insert(packed.starts[: int(ends.max(initial=0))], 0, 0)
    number = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    within = np.repeat(begins, counts) + number
    opened = np.where(number == 0, np.repeat(firsts, counts), edges[within])
    closed = np.append(opened[1:], 0)
    closed[np.cumsum(counts) - 1] = lasts
    return pa.table(
        {
            "input_ids": _lists(np.concatenate(ids).astype(np.int32), lasts - firsts),
            "seq_lengths": _lists((closed - opened).astype(np.int32), counts),
            "first_token": pa.array(firsts, pa.int64()),
        }
    )


def _lists(values: NDArray[np.int32], lengths: Positions) -> pa.ListArray:
    import pyarrow as pa

    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


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


@dataclass(frozen=True)
class _Files:
    """The rows of a split, as files."""

    paths: list[Path]
    rows: int
    fingerprint: str
    """Follows from the content: the library's own would differ from run to run."""


def _write_rows(folder: Path, packed: Packed, block: int) -> _Files:
    from datasets.arrow_writer import ArrowWriter

    folder.mkdir(exist_ok=True)
    order = _order(packed, block)
    size = _bytes_of(packed, block, order)
    shards = min(size // _SHARD_BYTES + 1, len(order))
    at_once = min(_ROWS_AT_ONCE, max(1, len(order) * _BATCH_BYTES // max(size, 1)))
    content = hashlib.blake2b(f"{block}".encode(), digest_size=8)
    paths = [folder / f"data-{number:05d}-of-{shards:05d}.arrow" for number in range(shards)]
    for path, rows in zip(paths, np.array_split(order, max(shards, 1)), strict=False):
        with ArrowWriter(path=str(path), features=_features()) as writer:
            for start in range(0, len(rows), at_once):
                table = _table(packed, block, rows[start : start + at_once])
                content.update(table["input_ids"].combine_chunks().flatten().to_numpy())
                writer.write_table(table)
            writer.finalize()
    return _Files(paths, len(order), content.hexdigest())


def _bytes_of(packed: Packed, block: int, order: Positions) -> int:
    """What the rows take in memory, as the library counts it."""
    lasts = np.minimum(order + block, len(packed.stream))
    cuts = np.searchsorted(packed.starts, lasts) - np.searchsorted(packed.starts, order, "right") + 1
    offsets = 2 * (len(order) + math.ceil(len(order) / _ROWS_AT_ONCE))
    return int(4 * ((lasts - order).sum() + cuts.sum() + offsets) + 8 * len(order))


def _features() -> Features:
    from datasets import Features, List, Value

    return Features(
        {"input_ids": List(Value("int32")), "seq_lengths": List(Value("int32")), "first_token": Value("int64")}
    )


def _empty(features: Features) -> pa.Table:
    return features.arrow_schema.empty_table()
