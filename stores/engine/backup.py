"""Copies of a database, taken while others read and write it."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from core.files import make_folder
from stores.engine.database import BUSY_TIMEOUT_S, Database
from stores.engine.errors import translated

KEEP_BACKUPS = 7


def backup(database: Database, keep: int = KEEP_BACKUPS) -> Path | None:
    """Copy a SQLite database into the backups/ folder next to it and delete all but the newest `keep` copies.

    None for PostgreSQL, which has its own backups.
    """
    if database.path is None:
        return None
    folder = database.path.parent / "backups"
    make_folder(folder)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target = folder / f"{database.path.stem}-{stamp}.db"
    copy_to(database, target)
    for old in sorted(folder.glob(f"{database.path.stem}-*.db"))[:-keep]:
        old.unlink(missing_ok=True)
    return target


def copy_to(database: Database, target: Path) -> None:
    """Write a consistent copy of either kind of database as a SQLite file, whole or not at all."""
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        if database.path:
            _copy_file(database.path, part)
        else:
            _copy_rows(database, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _copy_file(path: Path, target: Path) -> None:
    with (
        translated(str(path)),
        contextlib.closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)) as source,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)


def _copy_rows(database: Database, target: Path) -> None:
    """PostgreSQL into a SQLite file, table by table."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        copy = Database(database.schema, folder)
        with contextlib.closing(copy), database.read() as source, copy.write() as sink:
            for table in database.schema.metadata.sorted_tables:  # those that others refer to come first
                rows = source.execution_options(yield_per=1000).execute(sa.select(table)).mappings()
                for part in rows.partitions():
                    sink.execute(sa.insert(table), [dict(row) for row in part])
        Path(copy.location).replace(target)
