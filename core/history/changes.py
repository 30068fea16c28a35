"""File changes on their way from git's raw entries to finished records."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import IO

import msgspec

from core.git.commands import decode
from core.records.commits import ChangeCategory, FileDiff

_CATEGORIES: dict[bytes, ChangeCategory] = {b"A": "A", b"M": "M", b"D": "D", b"R": "R", b"C": "C", b"T": "T"}
_MODES = {mode: mode.decode() for mode in (b"000000", b"040000", b"100644", b"100755", b"120000", b"160000")}
"""One text for each, shared by all changes."""


class Spool:
    """Finished records of some commits: in memory up to a bound, beyond it in a temporary file."""

    MEMORY_BYTES = 4 << 20

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._held = self._end = 0

    def add(self, record: bytes) -> bytes | tuple[int, int]:
        """Keep a record: itself, or (start, length) in the file."""
        with self._lock:
            if self._held + len(record) <= self.MEMORY_BYTES:
                self._held += len(record)
                return record
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by close
            start = self._end
            self._file.seek(start)
            self._file.write(record)
            self._end += len(record)
        return start, len(record)

    def read(self, start: int, length: int) -> bytes:
        """A record that went to the file."""
        assert self._file is not None
        with self._lock:
            self._file.seek(start)
            return self._file.read(length)

    def close(self) -> None:
        """Free the space."""
        if self._file:
            self._file.close()


class Change:
    """One raw entry of git's, and, once its patch is read, its finished record."""

    __slots__ = ("_record", "_spool", "diff", "entry", "patch_part")

    def __init__(self, entry: bytes, spool: Spool) -> None:
        self.entry = entry
        self._spool = spool
        self._record: bytes | tuple[int, int] = b""
        self.diff = _draft(entry)
        """The record without the text of its patch."""
        self.patch_part = 0
        """Its part of the commit's patch id."""

    @property
    def record(self) -> bytes:
        """The finished FileDiff as JSON."""
        return self._record if isinstance(self._record, bytes) else self._spool.read(*self._record)

    def finish(self, patch: str, patch_part: int) -> None:
        """Make the record."""
        self.patch_part = patch_part
        self.diff.patch = patch
        self._record = self._spool.add(_ENCODER.encode(self.diff))
        self.diff.patch = ""

    def paths(self) -> tuple[bytes, bytes]:
        """(old, new) path as git has them."""
        _, *paths = self.entry.split(b"\0")
        return paths[0], paths[-1]


_ENCODER = msgspec.json.Encoder()


def _draft(entry: bytes) -> FileDiff:
    status, *paths = entry.split(b"\0")
    old_mode, new_mode, old_blob, new_blob, letter = status[1:].split(b" ")
    name, encoding = decode(paths[-1])
    old_name, old_encoding = decode(paths[0]) if len(paths) > 1 else (None, "utf-8")
    return FileDiff(
        filename=name,
        old_filename=old_name,
        filename_encoding=encoding,
        old_filename_encoding=old_encoding,
        change_type=_CATEGORIES[letter[:1]],
        similarity=int(letter[1:]) if len(paths) > 1 else None,
        additions=0,
        deletions=0,
        patch="",
        is_binary=False,
        old_mode=_MODES.get(old_mode) or old_mode.decode(),
        new_mode=_MODES.get(new_mode) or new_mode.decode(),
        old_blob=old_blob.decode(),
        new_blob=new_blob.decode(),
    )
