"""The index of a repository's code in PostgreSQL, shared by all who have a clone of the repository.

Texts are shared: what one has read, the others need not read. Which commit is described, and its files, is each clone's
own. Views show a clone its rows alone, so that the statements are those of a file in the cache folder (`database`).
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.engine import Connection

from core.config import without_credentials
from core.errors import StageError, UserError
from core.git import refs
from index.database import name_of
from miners.clones import key_of
from stores.engine.database import Database
from stores.engine.schema import Schema

KEPT_DAYS = 30
"""A clone that was not brought to another commit for so long is forgotten, until it is used again."""
_MIGRATIONS = Path(__file__).parent / "migrations"


class Rows(list[tuple[Any, ...]]):
    """What a statement has found, as a cursor gives it."""

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first."""
        return self[0] if self else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All."""
        return self


class SharedDatabase:
    """The schema of the repository at `git_dir` in the PostgreSQL database at `url`, created where there is none.

    May be used by one thread at a time; any number of processes and machines may share it. `version` is that of what
    the tables hold; each has its own schema, so that nobody waits for others to update Gitlore. Raises UserError where
    the URL is none of PostgreSQL or the repository has no commits, StageError where the server does not answer.
    """

    def __init__(self, url: str, git_dir: Path, version: int) -> None:
        if not url.startswith(("postgresql:", "postgres:")):
            raise UserError(
                f"the index cannot be kept at {without_credentials(url)!r}",
                "name a PostgreSQL database: postgresql://user@host/gitlore",
            )
        self.name = f"code_{version}_{_repository(git_dir)}"
        self._clone = hashlib.sha256(f"{platform.node()} {name_of(git_dir)}".encode()).hexdigest()[:16]
        self._database = Database(Schema(self.name, MetaData(), _MIGRATIONS, 1), url)
        self._open: Connection | None = None

    @property
    def place(self) -> str:
        """The database, without credentials."""
        return self._database.location

    @property
    def size(self) -> int:
        """Bytes on the server's disk, those of all clones."""
        line = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class WHERE relkind = 'r'"
        with self.reading():
            return int(self.execute(f"{line} AND relnamespace = ?::regnamespace", [self.name])[0][0])

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def execute(self, line: str, values: Iterable[object] = ()) -> Rows:
        """Run a statement, within `reading`, `writing` or `problems`."""
        assert self._open, "no transaction has begun"
        found = self._open.exec_driver_sql(line.replace("?", "%s"), tuple(values))
        return Rows(tuple(row) for row in found) if found.returns_rows else Rows()

    def executemany(self, line: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Run a statement for each of several rows."""
        assert self._open, "no transaction has begun"
        if found := [tuple(row) for row in rows]:
            self._open.exec_driver_sql(line.replace("?", "%s"), found)

    def changes_by_others(self) -> int:
        """A number that is another one after this clone has been brought to another commit."""
        line = "SELECT xmin::text::bigint FROM state_of_clones WHERE clone = ? AND name = 'commit'"
        with self.reading():
            found = self.execute(line, [self._clone]).fetchone()
        return found[0] if found else 0

    def used_by_others(self) -> list[tuple[bytes, str]]:
        """The blobs and kinds of the texts that other clones need."""
        with self.reading():
            rows = self.execute("SELECT DISTINCT blob, kind FROM files_of_clones WHERE clone <> ?", [self._clone])
        return [(blob, kind) for blob, kind in rows]

    def settle(self) -> None:
        """Forget clones that are no longer used; texts that only they needed go with the next update."""
        with self.writing():
            old = f"updated < now() - interval '{KEPT_DAYS} days'"
            self.execute(f"DELETE FROM state_of_clones WHERE {old}")  # noqa: S608 - a number of ours
            self.execute("DELETE FROM files_of_clones WHERE clone NOT IN (SELECT clone FROM state_of_clones)")

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """All that is written within is there afterwards, or nothing of it. Others who write wait."""
        with self._database.write() as connection, self._using(connection), self._problems():
            yield

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """All that is read within is of one moment, whatever others write. May stand within `writing`."""
        if self._open:
            yield
            return
        with self._database.read() as connection, self._using(connection), self._problems():
            yield

    problems = reading

    @contextlib.contextmanager
    def _using(self, connection: Connection) -> Iterator[None]:
        connection.exec_driver_sql("SELECT set_config('gitlore.clone', %s, true)", (self._clone,))
        self._open = connection
        try:
            yield
        finally:
            self._open = None

    @contextlib.contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:  # of a checksum
            raise StageError(
                f"the index cannot be used: {self.place}: {error}", f"delete it there: DROP SCHEMA {self.name} CASCADE"
            ) from None


def _repository(git_dir: Path) -> str:
    """What all clones of a repository share, short enough for a name; those of different depth share nothing."""
    head = refs.head(git_dir)
    if not head:
        raise UserError(f"{git_dir} has no commits, by which its index would be found", "commit something first")
    return key_of(git_dir, head).removeprefix("root:")[:16]
