"""A file of the cache folder: SQLite that can be made again from the repository at any time.

Another version, or what is no database, is simply made again. Damaged rows are an error, since another process may be
using the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from core.errors import StageError
from core.logs import log

WAIT_S = 60.0
"""For other processes that write, or that open the file for the first time."""
_CHECKSUM_BYTES = 4


class Database:
    """The file at `path`, opened or created. May be used by one thread at a time; several processes may share it.

    `version` is that of what the tables hold, `schema` makes them. Raises StageError where the file cannot be used.
    """

    def __init__(self, path: Path, version: int, schema: str) -> None:
        self.path = path
        self._version, self._schema = version, schema
        with self.problems():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = self._open()

    @property
    def place(self) -> str:
        """The file, in words."""
        return str(self.path)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        places = (Path(f"{self.path}{ending}") for ending in ("", "-wal"))
        return sum(place.stat().st_size for place in places if place.exists())

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def execute(self, line: str, values: object = ()) -> sqlite3.Cursor:
        """Run a statement; within `problems` or `writing`, which turn what goes wrong into a sentence."""
        return self._database.execute(line, values)  # type: ignore[arg-type]

    def executemany(self, line: str, rows: object) -> sqlite3.Cursor:
        """Run a statement for each of several rows."""
        return self._database.executemany(line, rows)  # type: ignore[arg-type]

    def changes_by_others(self) -> int:
        """A number that is another one after another connection has written."""
        with self.problems():
            return int(self._database.execute("PRAGMA data_version").fetchone()[0])

    def used_by_others(self) -> list[tuple[bytes, str]]:
        """The texts that must stay for others: a file describes one commit to all who use it, so none."""
        return []

    def settle(self) -> None:
        """Put what was written beside the file into it, where no other process is reading, so that it takes no more
        room than it needs.
        """
        with self.problems():
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """All that is written within is there afterwards, or nothing of it."""
        with self.problems():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """All that is read within is of one moment, whatever others write meanwhile."""
        with self.problems():
            self._database.execute("BEGIN")
            try:
                yield
            finally:
                self._database.execute("ROLLBACK")

    @contextlib.contextmanager
    def problems(self) -> Iterator[None]:
        """Raises StageError in the place of an error of the database or the disk."""
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:  # the last of a damaged name in a message
            raise StageError(
                f"the index cannot be used: {self.path}: {error}", "choose another cache folder, or delete the file"
            ) from None

    def _open(self) -> sqlite3.Connection:
        try:
            database = self._connected()
            if database.execute("PRAGMA user_version").fetchone()[0] == self._version:
                return database
            database.close()
        except sqlite3.OperationalError:  # busy, or not writable: the file may be whole
            raise
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            log.debug("the index is made again: %s: %s", self.path, error)
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        return self._connected()

    def _connected(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
        deadline = time.monotonic() + WAIT_S
        while not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            try:
                self._make(database)
            except sqlite3.OperationalError as error:  # for a change of the journal, SQLite does not wait
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        database.execute("PRAGMA synchronous=NORMAL")
        return database

    def _make(self, database: sqlite3.Connection) -> None:
        """The tables and the version, both or none: another process may be opening the file."""
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("BEGIN IMMEDIATE")
        try:
            for line in filter(str.strip, self._schema.split(";")):
                database.execute(line)
            database.execute(f"PRAGMA user_version={self._version}")
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")


def name_of(git_dir: Path) -> str:
    """What the files of a repository are called; a clone that is deepened gets older commits, so it needs others."""
    shallow = git_dir / "shallow"
    state = os.fsencode(git_dir.resolve()) + (shallow.read_bytes() if shallow.is_file() else b"")
    return hashlib.sha256(state).hexdigest()[:16]


def with_checksum(data: bytes) -> bytes:
    """Data as a row keeps it."""
    return zlib.crc32(data).to_bytes(_CHECKSUM_BYTES) + data


def checked(row: bytes) -> bytes:
    """The data of a row. Raises DatabaseError where it is not what was written: SQLite has no checksums of its own."""
    if not isinstance(row, bytes) or row != with_checksum(row[_CHECKSUM_BYTES:]):
        raise sqlite3.DatabaseError("a row has changed since it was written")
    return row[_CHECKSUM_BYTES:]
