"""The index of one repository: its commits as arrays, its texts by blob, in one SQLite file of the cache folder.

It can be made again from the repository at any time, so another version, or what is no database, is simply made again.
Damaged rows are an error, since another process may be using the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from core.errors import StageError
from core.git import raw_log
from core.git.blobs import BlobReader
from core.logs import log
from core.ranking import contents
from core.ranking.contents import Content
from core.ranking.history import Commits
from index.segments import Segment, joined, segment_of

VERSION = 2
"""Of what the file holds; raise it with any change of terms, contents or segments."""
MAX_FILE_BYTES = 1_000_000
"""A larger file is data; its text is not read."""
MAX_SEGMENTS = 16
"""Runs of new commits that are kept apart before they are joined."""
MAX_TIPS = 50
_BATCH = 500
_CHECKSUM_BYTES = 4
_SCHEMA = """
CREATE TABLE IF NOT EXISTS segments (number INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tips (number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS blobs (id BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
"""


class RepositoryIndex:
    """The index of the repository at `git_dir`. May be used by one thread at a time; several processes may share it."""

    def __init__(self, git_dir: Path, cache_dir: Path) -> None:
        """Open or create the file in `cache_dir`. Raises StageError where it cannot be written."""
        self.git_dir = git_dir
        shallow = git_dir / "shallow"  # a clone that is deepened gets older commits, so it needs another index
        state = os.fsencode(git_dir.resolve()) + (shallow.read_bytes() if shallow.is_file() else b"")
        name = hashlib.sha256(state).hexdigest()[:16]
        self.path = cache_dir / "index" / f"{name}.db"
        self._commits: Commits | None = None
        with self._problems():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._database = self._open()

    def __enter__(self) -> RepositoryIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def commits(self, tip: str) -> Commits:
        """`tip` and all its ancestors, perhaps among others. What is new is read from git first."""
        if self._commits is None:
            self._commits = self._load()
        if tip not in self._commits.numbers:
            with self._writing():
                self._commits = self._load()  # another process may have read it
                if tip not in self._commits.numbers:
                    self._add(self._commits, tip)
                    self._commits = self._load()
        return self._commits

    def of(self, blobs: Sequence[str]) -> list[Content]:
        """The contents of blobs. Those seen for the first time are read from git."""
        found: dict[str, Content] = {}
        wanted = list(dict.fromkeys(blobs))
        with self._problems():
            for start in range(0, len(wanted), _BATCH):
                batch = [bytes.fromhex(blob) for blob in wanted[start : start + _BATCH]]
                places = ",".join("?" * len(batch))
                line = f"SELECT id, content FROM blobs WHERE id IN ({places})"  # noqa: S608 - question marks alone
                found.update(
                    (id_.hex(), contents.from_numbers(_checked(row)))
                    for id_, row in self._database.execute(line, batch)
                )
        new = [blob for blob in wanted if blob not in found]
        if new:
            with BlobReader(self.git_dir) as reader:
                for start in range(0, len(new), _BATCH):
                    found.update(self._read(reader, new[start : start + _BATCH]))
        return [found[blob] for blob in blobs]

    def _read(self, reader: BlobReader, blobs: Sequence[str]) -> dict[str, Content]:
        read = {
            blob: contents.read(data) for blob, data in zip(blobs, reader.read_many(blobs, MAX_FILE_BYTES), strict=True)
        }
        rows = [(bytes.fromhex(blob), _with_checksum(contents.numbers(content))) for blob, content in read.items()]
        with self._writing():
            self._database.executemany("INSERT OR IGNORE INTO blobs VALUES (?, ?)", rows)
        return read

    def _add(self, known: Commits, tip: str) -> None:
        tips = [
            row[0] for row in self._database.execute("SELECT hash FROM tips ORDER BY number DESC LIMIT ?", [MAX_TIPS])
        ]
        new = [one for one in raw_log.logged(self.git_dir, tip, tips) if one.hash not in known.numbers]
        segment = segment_of(new, known)
        if len(self._segments()) >= MAX_SEGMENTS:
            segment = joined([*self._segments(), segment])
            self._database.execute("DELETE FROM segments")
        self._database.execute("INSERT INTO segments (data) VALUES (?)", [_with_checksum(segment.as_bytes())])
        self._database.execute("INSERT OR REPLACE INTO tips (hash) VALUES (?)", [tip])
        log.debug("%s commits added to %s", f"{len(new):,}", self.path)

    def _segments(self) -> list[Segment]:
        rows = self._database.execute("SELECT data FROM segments ORDER BY number")
        return [Segment.from_bytes(_checked(row[0])) for row in rows]

    def _load(self) -> Commits:
        with self._problems():
            return joined(self._segments()).commits()

    def _open(self) -> sqlite3.Connection:
        try:
            database = self._connected()
            if database.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                return database
            database.close()
        except sqlite3.OperationalError:  # busy, or not writable: the file may be whole
            raise
        except sqlite3.DatabaseError as error:
            log.debug("the index is made again: %s: %s", self.path, error)
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        return self._connected()

    def _connected(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
        if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            database.executescript(f"PRAGMA journal_mode=WAL; {_SCHEMA} PRAGMA user_version={VERSION};")
        database.execute("PRAGMA synchronous=NORMAL")
        return database

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self._problems():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextlib.contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StageError(
                f"the index cannot be used: {self.path}: {error}", "choose another cache folder, or delete the file"
            ) from None


def _with_checksum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(_CHECKSUM_BYTES) + data


def _checked(row: bytes) -> bytes:
    """The data of a row. Raises DatabaseError where it is not what was written: SQLite has no checksums of its own."""
    if not isinstance(row, bytes) or row != _with_checksum(row[_CHECKSUM_BYTES:]):
        raise sqlite3.DatabaseError("a row has changed since it was written")
    return row[_CHECKSUM_BYTES:]
