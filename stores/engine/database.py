"""A database of ours: SQLite in a folder, or PostgreSQL by a URL. Opening, reading, writing, checking.

SQLite before 3.51.3 can corrupt a write-ahead log that two connections reset at once, so those versions use the
rollback journal. A writer takes a file lock first: the kernel serves waiting processes in turn, whereas SQLite lets
them race and may starve one. Write transactions start with BEGIN IMMEDIATE: one that starts by reading and writes
later fails at once, whatever the timeout, if another has written in between.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from core.config import without_credentials
from core.errors import AlreadyRunningError, UserError
from core.files import make_folder
from stores.engine import lock, migrate
from stores.engine.errors import translated
from stores.engine.schema import Schema

BUSY_TIMEOUT_S = 60
SAFE_WAL = (3, 51, 3)


class Database:
    """`Database(schema, "outputs/stores")` is a file in that folder; a URL is `postgresql://user@host/database`."""

    def __init__(self, schema: Schema, location: str | Path, *, create: bool = True) -> None:
        """Open the database, and create or migrate its tables where needed.

        Raises UserError if it does not exist and `create` is False, or if a newer version made it; StageError if it
        cannot be opened.
        """
        if str(location).startswith("-"):
            raise UserError(f"'{location}' is no place for stores: it begins with a dash", "name a folder or a URL")
        self.schema = schema
        self.is_postgresql = str(location).startswith(("postgresql:", "postgresql+psycopg:", "postgres:"))
        # Absolute, because a long-running process may change its working directory.
        self.path = None if self.is_postgresql else Path(location).expanduser().resolve() / f"{schema.name}.db"
        self.location = without_credentials(str(location)) if self.is_postgresql else str(self.path)
        missing = None if create else UserError(f"no {schema.name} database at {self.location}", schema.created_by)
        if self.path:
            if missing and not self.path.exists():
                raise missing
            make_folder(self.path.parent)
        self.engine = self._postgresql(str(location)) if self.is_postgresql else self._sqlite()
        with contextlib.ExitStack() as on_error, translated(self.location):
            on_error.callback(self.close)
            self._migrate(missing)
            on_error.pop_all()

    def table(self, name: str) -> sa.Table:
        """One of the schema's tables."""
        return self.schema.metadata.tables[name]

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: it sees one state, whoever writes meanwhile."""
        with translated(self.location), self.engine.connect() as connection:
            if self.is_postgresql:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes, all or nothing. One writer at a time; others wait."""
        queue = lock.queue_for_file(self.path.with_suffix(".lock")) if self.path else contextlib.nullcontext()
        with translated(self.location), queue, self.engine.connect() as opened:
            connection = opened.execution_options(write=True)
            with connection.begin():
                if self.is_postgresql:
                    lock.queue_for_schema(connection, self.schema.name)
                yield connection

    @contextlib.contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Hold a named lock that is shared by all databases of this folder, or of this PostgreSQL database.

        Raises AlreadyRunningError ("another <name> of … is running") where somebody else holds it.
        """
        place = self.path.parent if self.path else self.location
        refusal = AlreadyRunningError(f"another {name} of {place} is running", "wait for it, or stop it")
        if self.path:
            with lock.exclusive_file(self.path.parent / f"{name}.lock", refusal):
                yield
        else:
            with (
                translated(self.location),
                self.engine.connect() as connection,
                lock.exclusive_session(connection, name, refusal),
            ):
                yield

    def problems(self) -> list[str]:
        """Damage that the database itself detects, one sentence each."""
        if self.is_postgresql:
            return []  # it checks its constraints as it writes
        with self.read() as connection:
            found = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check")]
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        wrong = [f"integrity: {line}" for line in found if line != "ok"]
        return wrong + [f"a row of {row[0]} refers to a missing row of {row[2]}" for row in broken]

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _sqlite(self) -> Engine:
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(self.path)), connect_args={"timeout": BUSY_TIMEOUT_S}
        )
        journal = "WAL" if sqlite3.sqlite_version_info >= SAFE_WAL else "DELETE"

        @sa.event.listens_for(engine, "connect")
        def prepare(connection: sqlite3.Connection, _: Any) -> None:
            connection.isolation_level = None  # transactions begin below, not in the driver
            for pragma in ("foreign_keys=ON", f"journal_mode={journal}", "synchronous=FULL", "cache_size=-65536"):
                connection.execute(f"PRAGMA {pragma}")

        @sa.event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            writes = connection.get_execution_options().get("write")
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        return engine

    def _postgresql(self, url: str) -> Engine:
        try:
            parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
        except (sa.exc.ArgumentError, ValueError):
            raise UserError(
                f"not a database URL: {self.location}", "for example postgresql://user@host/gitlore"
            ) from None
        options = {"options": f"-csearch_path={self.schema.name}"}
        try:
            return sa.create_engine(parsed, connect_args=options, pool_pre_ping=True)
        except ModuleNotFoundError:
            raise UserError("PostgreSQL needs a driver", "pip install 'psycopg[binary]'") from None

    def _migrate(self, missing: UserError | None) -> None:
        with self.engine.connect() as connection:
            revision = migrate.revision_of(connection, self.schema)
            connection.rollback()
        if missing and not revision:
            raise missing
        if revision > self.schema.revision:
            raise UserError(
                f"{self.location} was made by a newer version of Gitlore", "update Gitlore, or name another folder"
            )
        if revision < self.schema.revision:
            with self.write() as connection:
                if migrate.revision_of(connection, self.schema) < self.schema.revision:  # else another process did it
                    migrate.upgrade(connection, self.schema)
