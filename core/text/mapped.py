"""Arrays in files, mapped into memory a part at a time."""

from __future__ import annotations

import mmap
import struct
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_MOST_RESIDENT = 1 << 24
_AT_LEAST = 1 << 16
"""Bytes that the system maps where one of them is read."""
_LOCAL_HEADER, _NAME_AND_EXTRA = 30, 26


class Mapped:
    """A 1-D array in a file. `ids[first:last]` is a view of it as an array.

    Pages that were read are given back to the system now and then: it keeps those that it has room for, and the
    process does not grow with the file.
    """

    def __init__(self, mapped: mmap.mmap | None, items: NDArray[Any]) -> None:
        """`items` is a view of what is mapped; None where there are no items."""
        self._map, self._items = mapped, items
        self._touched = 0

    @classmethod
    def of(cls, file: IO[bytes], start: int, size: int, dtype: DTypeLike) -> Mapped:
        """`size` items from the byte `start` on; the file may be closed then. ValueError where it is shorter."""
        if not size:
            return cls(None, np.empty(0, dtype))
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return cls(mapped, np.frombuffer(mapped, dtype, size, start))

    @classmethod
    def store(cls, path: Path, number: int, dtype: DTypeLike = np.int32) -> Mapped:
        """A store of a .pt file. Raises KeyError, ValueError or BadZipFile where there is none."""
        start, size = record(path, f"data/{number}")
        with path.open("rb") as file:
            return cls.of(file, start, size // np.dtype(dtype).itemsize, dtype)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, part: slice) -> NDArray[Any]:
        found = self._items[part]
        self._touched += found.nbytes + _AT_LEAST
        if self._map and self._touched > _MOST_RESIDENT:
            self._map.madvise(mmap.MADV_DONTNEED)
            self._touched = 0
        return found

    def part(self, first: int, last: int) -> Mapped:
        """The items from `first` up to `last`, in the same map."""
        return Mapped(self._map, self._items[first:last])


def record(path: Path, name: str) -> tuple[int, int]:
    """(first byte, number of bytes) of a record of a .pt file. Raises KeyError or BadZipFile where there is none."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        prefix = archive.namelist()[0].split("/", maxsplit=1)[0]
        found = archive.getinfo(f"{prefix}/{name}")
        file.seek(found.header_offset + _NAME_AND_EXTRA)
        return found.header_offset + _LOCAL_HEADER + sum(struct.unpack("<2H", file.read(4))), found.file_size
