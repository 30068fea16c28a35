"""One store's database: SQLite by default, PostgreSQL by a URL. Opening, locking, migrating, checking, copying.

SQLite before 3.51.3 can corrupt a write-ahead log that two connections reset at once, so those versions use the
rollback journal. A writer takes a file lock first: the kernel queues those who wait, whereas SQLite lets them race
and one of them starve. Transactions that write start with BEGIN IMMEDIATE; one that begins reading and then writes
would fail at once when another has written in between, whatever the timeout.
"""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.engine import Connection, Engine

from core.config import without_credentials
from core.errors import AlreadyRunningError, StageError, UserError
from core.files import make_folder
from stores.agent.schema import STORES, metadata_of

REVISION = 1
"""Number of the last migration; SQLite keeps it as user_version, so that opening needs no Alembic."""
BUSY_TIMEOUT_S = 60
SAFE_WAL = (3, 51, 3)
KEEP_BACKUPS = 7
_LOCK_PATIENCE_S = 1.0
_SEEDING, _WRITING = 0x67697430, 0x67697431
"""PostgreSQL's numbers of the locks that seeders and writers take, in each database."""
_MIGRATIONS = Path(__file__).resolve().parents[1] / "agent" / "migrations"


class Database:
    """`Database("v_vector_history", "outputs/stores")`, or with a URL: `postgresql://user@host/database`."""

    def __init__(self, store: str, location: str | Path, *, create: bool = True) -> None:
        """Open, and make or migrate the tables where needed.

        Raises UserError where there is none and `create` is False, or where it was made by a newer version;
        StageError where it cannot be opened.
        """
        self.store = store
        self.metadata = metadata_of(store)
        self.is_postgresql = str(location).startswith(("postgresql:", "postgresql+psycopg:", "postgres:"))
        # Resolved, since an agent may change its folder while the store is open.
        self.path = None if self.is_postgresql else Path(location).expanduser().resolve() / f"{store}.db"
        self.location = without_credentials(str(location)) if self.is_postgresql else str(self.path)
        if self.path:
            if not create and not self.path.exists():
                raise UserError(
                    f"there is no store at {self.path}", "run the pipeline, or scripts/pretrain_from_github.py"
                )
            make_folder(self.path.parent)
        self.engine = self._postgresql(str(location)) if self.is_postgresql else self._sqlite()
        with self._errors():
            self._migrate()

    @property
    def entries(self) -> sa.Table:
        """The table that only this store has."""
        return self.metadata.tables[STORES[self.store][0]]

    @property
    def key_columns(self) -> tuple[str, ...]:
        """What tells its entries apart."""
        return STORES[self.store][1]

    def table(self, name: str) -> sa.Table:
        """One of the tables that every store has."""
        return self.metadata.tables[name]

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: one state of the store, whoever writes meanwhile."""
        with self._errors(), self.engine.connect() as connection:
            if self.is_postgresql:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: all of it is there afterwards, or nothing. One writer at a time."""
        with self._errors(), self._writer_lock(), self.engine.connect() as opened:
            connection = opened.execution_options(write=True)
            with connection.begin():
                if self.is_postgresql:
                    connection.execute(
                        sa.select(sa.func.pg_advisory_xact_lock(_WRITING, list(STORES).index(self.store)))
                    )
                yield connection

    @contextlib.contextmanager
    def seeding(self) -> Iterator[None]:
        """Held by the one who seeds the stores that lie together. Raises AlreadyRunningError where another does."""
        place = self.path.parent if self.path else self.location
        refusal = AlreadyRunningError(f"another seeding of {place} is running", "wait for it, or stop it")
        if self.path:
            try:
                held = FileLock(self.path.parent / "seeding.lock").acquire(timeout=_LOCK_PATIENCE_S)
            except Timeout:
                raise refusal from None
            with held:
                yield
            return
        with self._errors(), self.engine.connect() as opened:
            connection = opened.execution_options(isolation_level="AUTOCOMMIT")  # no transaction is open meanwhile
            if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(_SEEDING))).scalar_one():
                raise refusal
            try:
                yield
            finally:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(_SEEDING)))

    def backup(self, keep: int = KEEP_BACKUPS) -> Path | None:
        """Copy a SQLite store into backups/ beside it and keep the newest; None for PostgreSQL, which has its own."""
        if self.path is None:
            return None
        folder = self.path.parent / "backups"
        make_folder(folder)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        target = folder / f"{self.path.stem}-{stamp}.db"
        self.copy_to(target)
        for old in sorted(folder.glob(f"{self.path.stem}-*.db"))[:-keep]:
            old.unlink(missing_ok=True)
        return target

    def copy_to(self, target: Path) -> None:
        """A consistent copy as a SQLite file, whole or not at all, while others may write."""
        part = target.with_name(f".{target.name}.part")
        part.unlink(missing_ok=True)
        try:
            if self.path is None:
                self._copy_rows(part)
            else:
                with (
                    self._errors(),
                    contextlib.closing(sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S)) as source,
                    contextlib.closing(sqlite3.connect(part)) as copy,
                ):
                    source.backup(copy)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def problems(self) -> list[str]:
        """What the database itself finds wrong, one sentence each."""
        if self.is_postgresql:
            return []  # it checks its constraints as it writes
        with self.read() as connection:
            found = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check")]
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        wrong = [f"integrity: {line}" for line in found if line != "ok"]
        return wrong + [f"a row of {row[0]} refers to nothing in {row[2]}" for row in broken]

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def _sqlite(self) -> Engine:
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(self.path)), connect_args={"timeout": BUSY_TIMEOUT_S}
        )
        journal = "WAL" if sqlite3.sqlite_version_info >= SAFE_WAL else "DELETE"

        @sa.event.listens_for(engine, "connect")
        def prepare(connection: sqlite3.Connection, _: Any) -> None:
            connection.isolation_level = None  # transactions are begun below, not by the driver
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
        try:
            return sa.create_engine(parsed, connect_args={"options": f"-csearch_path={self.store}"}, pool_pre_ping=True)
        except ModuleNotFoundError:
            raise UserError("PostgreSQL needs a driver", "pip install 'psycopg[binary]'") from None

    def _migrate(self) -> None:
        with self.engine.connect() as connection:
            number = self._revision(connection)
            connection.rollback()
        if number == REVISION:
            return
        if number > REVISION:
            raise UserError(f"{self.location} was made by a newer version of Gitlore", "update, or name another folder")
        from alembic import command
        from alembic.config import Config

        with self.write() as connection:
            if self._revision(connection) == REVISION:  # another process was faster
                return
            if self.is_postgresql:
                connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{self.store}"')
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            config.attributes.update(connection=connection, store=self.store)
            command.upgrade(config, "head")
            if not self.is_postgresql:
                connection.exec_driver_sql(f"PRAGMA user_version={REVISION}")

    def _revision(self, connection: Connection) -> int:
        if not self.is_postgresql:
            return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        there = connection.execute(sa.text("SELECT to_regclass(:name)"), {"name": f"{self.store}.alembic_version"})
        if there.scalar_one() is None:
            return 0
        name = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return int(name) if name else 0

    @contextlib.contextmanager
    def _writer_lock(self) -> Iterator[None]:
        if self.path is None:
            yield  # PostgreSQL has a lock of its own for it, in the transaction
            return
        with self.path.with_suffix(".lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield  # closing lets go, and so does the kernel when the process dies

    def _copy_rows(self, target: Path) -> None:
        """PostgreSQL into a SQLite file, table by table."""
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            copy = Database(self.store, folder)
            with contextlib.closing(copy), self.read() as source, copy.write() as sink:
                for table in self.metadata.sorted_tables:
                    rows = source.execution_options(yield_per=1000).execute(sa.select(table)).mappings()
                    for part in rows.partitions():
                        sink.execute(sa.insert(table), [dict(row) for row in part])
            Path(copy.location).replace(target)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """What databases say, in our words."""
        try:
            yield
        except (sa.exc.DBAPIError, sqlite3.Error) as error:
            text = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
            raise StageError(f"{self.location}: {text}", _advice(text)) from error


def _advice(text: str) -> str:
    if "disk is full" in text or "disk I/O" in text:
        return "make room; the store is as it was before"
    if "malformed" in text or "not a database" in text:
        return "put the newest file of backups/ in its place"
    if "locked" in text:
        return "another program holds it in a transaction of its own"
    if "connect" in text or "authentication" in text:
        return "check the URL, and that the server runs"
    return ""
