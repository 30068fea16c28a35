"""Copies of a database."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import StageError
from stores.engine.backup import KEEP_BACKUPS, backup, copy_to
from stores.engine.database import Database
from stores.engine.schema import Schema


def fill(database: Database, count: int) -> None:
    rows = [{"text": str(number), "weight": 0.5, "done": 0, "detail": {"n": number}} for number in range(count)]
    with database.write() as connection:
        connection.execute(sa.insert(database.table("notes")), rows)


def rows_of(database: Database) -> list[tuple[object, ...]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(database.table("notes")))]


def test_backups_are_whole_and_the_newest_seven_stay(tmp_path: Path, notes: Schema) -> None:
    assert KEEP_BACKUPS == 7
    with contextlib.closing(Database(notes, tmp_path)) as database:
        fill(database, 3)
        before = rows_of(database)
        made = [backup(database) for _ in range(9)]
        kept = sorted((tmp_path / "backups").iterdir())
        assert kept == made[2:]
        fill(database, 2)
    kept[-1].replace(tmp_path / "notes.db")
    with contextlib.closing(Database(notes, tmp_path)) as database:
        assert rows_of(database) == before


def test_a_copy_of_either_database_is_the_same_sqlite_database(tmp_path: Path, notes: Schema, location: str) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    with contextlib.closing(Database(notes, location)) as database:
        fill(database, 2500)
        assert (backup(database) is None) == database.is_postgresql
        copy_to(database, copies / "notes.db")
        assert [path.name for path in copies.iterdir()] == ["notes.db"]
        with contextlib.closing(Database(notes, copies, create=False)) as copy:
            assert rows_of(copy) == rows_of(database)
            assert copy.problems() == []


def test_a_copy_that_fails_leaves_no_file(tmp_path: Path, notes: Schema) -> None:
    with contextlib.closing(Database(notes, tmp_path)) as database:
        (tmp_path / "notes.db").write_bytes(b"no database" * 1000)
        target = tmp_path / "copies" / "copy.db"
        target.parent.mkdir()
        with pytest.raises((StageError, sqlite3.Error)):
            copy_to(database, target)
        assert list(target.parent.iterdir()) == []
