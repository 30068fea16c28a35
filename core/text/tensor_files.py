"""Writes .pt files as torch.save does, byte for byte, but piece by piece, so that memory does not grow with them.

A .pt file is a zip archive without compression: data.pkl, the value with its tensors as views over stores; data/0,
data/1, …, the numbers of the stores; and a few records of torch's own. torch.save holds the pickle and maps every store
as a whole.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from core.errors import UserError

_BATCH = 1000
"""Items that pickle writes at once."""
_ALIGNMENT = 64
_LARGEST = (1 << 32) - 1
_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class Store:
    """Numbers that tensors are views of: `size` of them, of a kind that torch names so ("IntStorage")."""

    kind: str
    size: int
    pieces: Callable[[], Iterable[bytes]]
    """Their bytes in order."""


class View(NamedTuple):
    """A tensor: where it begins in a store, and its shape and strides, all in numbers of the store."""

    store: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...] = (1,)


def save(path: Path, value: Mapping[str, Any], stores: Sequence[Store]) -> None:
    """Write what torch.save would write of `value`: at least two entries of views, or of iterables of views and dicts.

    The dicts in an iterable hold texts and whole numbers. Raises UserError where the file would need 4 GiB.
    """
    with path.open("wb") as file:
        archive = _Archive(file, path)
        for name, content in _records_of_torch(len(stores)).items():
            with archive.record(name) as write:
                if name == "data.pkl":
                    _Pickle(write, stores).value(value)
                elif name.startswith("data/"):
                    for piece in stores[int(name.removeprefix("data/"))].pieces():
                        write(piece)
                elif name == ".data/serialization_id":
                    write(content[:20] + b"%020d" % archive.checksums)
                else:
                    write(content)
        archive.finish()


def _records_of_torch(stores: int) -> dict[str, bytes]:
    """The records of a file with so many stores, in order, by name; their content where it is not the value's."""
    import torch

    small = io.BytesIO()
    torch.save([torch.zeros(1) for _ in range(stores)], small)
    with zipfile.ZipFile(small) as archive:
        return {name.split("/", maxsplit=1)[1]: archive.read(name) for name in archive.namelist()}


class _Archive:
    """A zip archive laid out as torch's: every record begins at a multiple of 64 bytes, its size stands behind it."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path = file, path
        self._place = 0
        self._directory: list[bytes] = []
        self.checksums = 0
        """The checksums of all records so far, combined as torch does it."""

    @contextlib.contextmanager
    def record(self, name: str) -> Iterator[Callable[[bytes], object]]:
        """A record; what the block writes is its content."""
        full, start = b"archive/" + name.encode(), self._place
        fill = -(start + 30 + len(full) + 4) % _ALIGNMENT
        head = struct.pack("<4s5H3L2H", b"PK\3\4", 0, 0x808, 0, 0, 0, 0, 0, 0, len(full), 4 + fill)
        self._put(head + full + struct.pack("<2sH", b"FB", fill) + b"Z" * fill)
        checksum, size = 0, 0

        def write(piece: bytes) -> None:
            nonlocal checksum, size
            checksum, size = zlib.crc32(piece, checksum), size + len(piece)
            self._put(piece)

        yield write
        self._put(struct.pack("<4s3L", b"PK\7\x08", checksum, size, size))
        entry = (b"PK\1\2", 0, 0, 0x808, 0, 0, 0, checksum, size, size, len(full), 0, 0, 0, 0, 0, start)
        self._directory.append(struct.pack("<4s6H3L5H2L", *entry) + full)
        seed = self.checksums
        self.checksums ^= (checksum + 0x9E3779B9 + (seed << 6) + (seed >> 2)) & _MASK

    def finish(self) -> None:
        """Write the directory."""
        count, start, size = len(self._directory), self._place, sum(map(len, self._directory))
        self._put(b"".join(self._directory))
        end = self._place
        self._put(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 0x31E, 45, 0, 0, count, count, size, start))
        self._put(struct.pack("<4sLQL", b"PK\6\7", 0, end, 1))
        self._put(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, start, 0))

    def _put(self, data: bytes) -> None:
        self._place += len(data)
        if self._place > _LARGEST:
            raise UserError(f"{self._path} would be larger than 4 GiB", "use a part of the history (git_scraper.since)")
        self._file.write(data)


class _Pickle:
    """Protocol 2 of pickle, as its C version writes it; every object has a number, by which it comes again."""

    def __init__(self, write: Callable[[bytes], object], stores: Sequence[Store]) -> None:
        self._flush, self._stores = write, stores
        self._opcodes: list[bytes] = []
        self._write = self._opcodes.append
        self._numbered = 0
        self._texts: dict[str, int] = {}
        self._names: dict[str, int] = {}
        """What torch adds; equal texts of ours are other objects."""

    def value(self, value: Mapping[str, Any]) -> None:
        """The whole pickle."""
        self._write(pickle.PROTO + b"\2" + pickle.EMPTY_DICT)
        self._number()
        self._write(pickle.MARK)
        for key, item in value.items():
            self._text(key)
            if isinstance(item, View):
                self._view(item)
            else:
                self._list(item)
        self._write(pickle.SETITEMS + pickle.STOP)
        self._hand_on()

    def _list(self, items: Iterable[View | Mapping[str, Any]]) -> None:
        self._write(pickle.EMPTY_LIST)
        self._number()
        left = iter(items)
        batch = list(itertools.islice(left, _BATCH))
        begin, end = (b"", pickle.APPEND) if len(batch) == 1 else (pickle.MARK, pickle.APPENDS)
        while batch:
            self._write(begin)
            for item in batch:
                if isinstance(item, View):
                    self._view(item)
                else:
                    self._dict(item)
            self._write(end)
            self._hand_on()
            batch = list(itertools.islice(left, _BATCH))

    def _hand_on(self) -> None:
        self._flush(b"".join(self._opcodes))
        self._opcodes.clear()

    def _dict(self, entries: Mapping[str, str | int]) -> None:
        self._write(pickle.EMPTY_DICT)
        self._number()
        several = len(entries) > 1
        self._write(pickle.MARK if several else b"")
        for key, value in entries.items():
            self._known(self._texts, key, self._text)
            if isinstance(value, str):
                self._known(self._texts, value, self._text)
            else:
                self._write(_whole(value))
        self._write(pickle.SETITEMS if several else pickle.SETITEM if entries else b"")

    def _view(self, view: View) -> None:
        store = self._stores[view.store]
        self._known(self._names, "torch._utils\n_rebuild_tensor_v2\n", self._global)
        self._write(pickle.MARK + pickle.MARK)
        self._known(self._names, "storage", self._text)
        self._known(self._names, f"torch\n{store.kind}\n", self._global)
        self._known(self._names, str(view.store), self._text)
        self._known(self._names, "cpu", self._text)
        self._write(_whole(store.size) + pickle.TUPLE)
        self._number()
        self._write(pickle.BINPERSID + _whole(view.offset))
        for numbers in (view.shape, view.strides):
            self._write(b"".join(map(_whole, numbers)) + (pickle.TUPLE1 if len(numbers) == 1 else pickle.TUPLE2))
            self._number()
        self._write(pickle.NEWFALSE)
        self._known(self._names, "collections\nOrderedDict\n", self._global)
        for opcodes in (pickle.EMPTY_TUPLE + pickle.REDUCE, pickle.TUPLE, pickle.REDUCE):
            self._write(opcodes)
            self._number()

    def _known(self, known: dict[str, int], text: str, write: Callable[[str], None]) -> None:
        number = known.get(text)
        if number is None:
            known[text] = self._numbered
            write(text)
        else:
            self._write(b"h%c" % number if number < 256 else b"j" + struct.pack("<L", number))

    def _text(self, text: str) -> None:
        encoded = text.encode()
        self._write(pickle.BINUNICODE + struct.pack("<L", len(encoded)) + encoded)
        self._number()

    def _global(self, name: str) -> None:
        self._write(pickle.GLOBAL + name.encode())
        self._number()

    def _number(self) -> None:
        number = self._numbered
        self._write(b"q%c" % number if number < 256 else b"r" + struct.pack("<L", number))
        self._numbered += 1


def _whole(number: int) -> bytes:
    """A whole number of at least 0."""
    if number < 1 << 8:
        return b"K%c" % number
    if number < 1 << 16:
        return b"M" + struct.pack("<H", number)
    return b"J" + struct.pack("<l", number) if number < 1 << 31 else pickle.dumps(number, 2)[2:-1]
