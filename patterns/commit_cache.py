"""What each commit gave to a run, kept in a file for the next one.

It is taken from there where neither the commit nor its chunks differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import msgspec

from core.logs import log
from core.records.chunk_files import ChunkGroup
from core.records.commit_files import unplaced
from core.records.patterns import Pattern
from patterns.steps import CommitChanges
from patterns.survival import AddedLines

VERSION = "1"
"""Of what a record holds; raise it with any change of it."""
_KEY_BYTES, _LENGTH_BYTES = 16, 8


class Found(msgspec.Struct, array_like=True, frozen=True):
    """A pattern whose survival, confidence and template are not known yet."""

    pattern: Pattern
    change: AddedLines


class Given(msgspec.Struct, array_like=True):
    """What a commit gave."""

    problem: str
    """What its patterns are; "" where none were taken from it."""
    changes: CommitChanges | None
    """Lines that it replaced; None where it replaced none."""
    found: list[Found]
    drops: dict[str, int]
    """What was left out of it, by reason."""


_ENCODER, _DECODER = msgspec.msgpack.Encoder(order="deterministic"), msgspec.msgpack.Decoder(Given)


def key_of(line: bytes, group: ChunkGroup) -> bytes:
    """A name for all that a commit gives: its line of commits.json, its place in the history aside, and its chunks."""
    hasher = hashlib.blake2b(digest_size=_KEY_BYTES)
    for part in (*unplaced(line), group.digest().encode()):
        hasher.update(part)
    return hasher.digest()


class KnownCommits:
    """What an earlier run has written, by key. Where there is nothing, or it is of another kind, it knows none."""

    def __init__(self, path: Path | None, repository: str) -> None:
        self._places: dict[bytes, tuple[int, int]] = {}
        self._file = None
        if path is None:
            return
        try:
            self._file = path.open("rb")
        except OSError as error:
            log.debug("%s: %s; all commits are read again", path, error)
            return
        if self._file.readline() == _head(repository):
            self._places = dict(_places(self._file.tell(), path))
        else:
            log.debug("%s is of another repository or version; all commits are read again", path)

    def __enter__(self) -> KnownCommits:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file:
            self._file.close()

    def get(self, key: bytes) -> Given | None:
        """What a commit gave; None where that is not known."""
        place = self._places.get(key)
        if place is None or self._file is None:
            return None
        self._file.seek(place[0])
        try:
            return _DECODER.decode(self._file.read(place[1]))
        except msgspec.DecodeError:
            return None


class CommitCache:
    """Writes the file of a run, from its beginning."""

    def __init__(self, path: Path, repository: str) -> None:
        self.path = path
        self._file = path.open("wb")
        self._file.write(_head(repository))

    def __enter__(self) -> CommitCache:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, key: bytes, given: Given) -> None:
        """Add what a commit gave. With an empty key no later run finds it."""
        data = _ENCODER.encode(given)
        self._file.write(key.ljust(_KEY_BYTES, b"\0") + len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def found_in(path: Path) -> Iterator[Found]:
    """The patterns of a file that `CommitCache` has written, in its order."""
    with path.open("rb") as file:
        file.readline()
        for _, (start, length) in _places(file.tell(), path):
            file.seek(start)
            yield from _DECODER.decode(file.read(length)).found


def _head(repository: str) -> bytes:
    return f"gitlore commits {VERSION} {repository}\n".encode()


def _places(start: int, path: Path) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """(key, (offset, length)) of each record; what is cut off at the end is left out."""
    head, size = _KEY_BYTES + _LENGTH_BYTES, path.stat().st_size
    with path.open("rb") as file:
        while start + head <= size:
            file.seek(start)
            key, length = file.read(_KEY_BYTES), int.from_bytes(file.read(_LENGTH_BYTES), "big")
            if start + head + length > size:
                return
            yield key, (start + head, length)
            start += head + length
