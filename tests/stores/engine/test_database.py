"""Any of our databases, with any tables: opening, reading, writing, migrating, damage."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.errors import StageError, UserError
from stores.engine.database import Database
from stores.engine.schema import Schema

NOTE = {"text": "ñ", "weight": 0.5, "done": 0, "detail": {"b": [1, None], "a": "x"}}
SECOND = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "0002", "0001"
def upgrade():
    op.add_column("notes", sa.Column("author", sa.Text(), nullable=True))
"""


@contextlib.contextmanager
def opened(schema: Schema, location: str | Path, **options: Any) -> Iterator[Database]:
    with contextlib.closing(Database(schema, location, **options)) as database:
        yield database


def add(database: Database, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(sa.insert(database.table("notes")).values(**{**NOTE, **values}))


def texts(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(sa.select(database.table("notes").c.text)).scalars())


def test_what_is_written_is_read_again(notes: Schema, location: str) -> None:
    with opened(notes, location) as database:
        add(database)
        assert database.problems() == []
    with opened(notes, location, create=False) as database, database.read() as connection:
        (row,) = connection.execute(sa.select(database.table("notes"))).mappings()
        assert dict(row) == {"id": 1, **NOTE}


def test_a_transaction_that_fails_writes_nothing(notes: Schema, location: str) -> None:
    with opened(notes, location) as database:
        with contextlib.suppress(ZeroDivisionError), database.write() as connection:
            connection.execute(sa.insert(database.table("notes")).values(**NOTE))
            raise ZeroDivisionError
        assert texts(database) == []


def test_a_reader_sees_one_state_while_another_writes(notes: Schema, location: str) -> None:
    with opened(notes, location) as reader, opened(notes, location) as writer:
        add(writer, text="before")
        query = sa.select(sa.func.count()).select_from(reader.table("notes"))
        with reader.read() as connection:
            assert connection.execute(query).scalar_one() == 1
            thread = threading.Thread(target=add, args=(writer,), daemon=True)
            thread.start()
            thread.join(0.3)
            assert connection.execute(query).scalar_one() == 1
        thread.join()
        assert len(texts(reader)) == 2


@pytest.mark.parametrize("values", [{"weight": 1.5}, {"done": 2}])
def test_both_databases_refuse_values_out_of_range(notes: Schema, location: str, values: dict[str, Any]) -> None:
    with opened(notes, location) as database, pytest.raises(StageError, match=r"(?i)constraint"):
        add(database, **values)


@pytest.mark.parametrize(("column", "value"), [("detail", "no json"), ("detail", "[1]"), ("weight", "heavy")])
def test_sqlite_refuses_what_no_reader_understands(tmp_path: Path, notes: Schema, column: str, value: object) -> None:
    with opened(notes, tmp_path) as database:
        add(database)
    with sqlite3.connect(tmp_path / "notes.db") as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"UPDATE notes SET {column} = ?", (value,))


def test_a_database_that_does_not_exist_is_created_only_if_asked(notes: Schema, location: str) -> None:
    with pytest.raises(UserError, match="no notes database at") as caught:
        Database(notes, location, create=False)
    assert caught.value.hint == "write a note first"
    with pytest.raises(UserError, match="no notes database at"):
        Database(notes, location, create=False)
    Database(notes, location).close()
    Database(notes, location, create=False).close()


def test_a_database_of_an_earlier_revision_is_migrated_with_its_rows(notes: Schema, location: str) -> None:
    with opened(notes, location) as database:
        add(database, text="old")
    (notes.migrations / "0002_author.py").write_text(SECOND)
    later = replace(notes, revision=2)
    for _ in range(2):
        with opened(later, location, create=False) as database, database.read() as connection:
            assert connection.execute(sa.text("SELECT text, author FROM notes")).all() == [("old", None)]
    with pytest.raises(UserError, match="newer version"):
        Database(notes, location)


def test_two_schemas_in_one_place_do_not_see_each_other(notes: Schema, location: str) -> None:
    other = replace(notes, name="notes_of_others")
    with opened(notes, location) as mine, opened(other, location) as theirs:
        add(mine, text="mine")
        add(theirs, text="theirs")
        assert (texts(mine), texts(theirs)) == (["mine"], ["theirs"])


@pytest.mark.parametrize("damage", [lambda whole: whole[:5000], lambda whole: b"no database" * 100 + whole[1100:]])
def test_a_damaged_file_is_reported(tmp_path: Path, notes: Schema, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "notes.db"
    with opened(notes, tmp_path) as database:
        for number in range(200):
            add(database, text=str(number) * 50)
    path.write_bytes(damage(path.read_bytes()))
    with (
        pytest.raises(StageError, match=r"malformed|not a database|integrity") as caught,
        opened(notes, tmp_path) as database,
    ):
        raise StageError("; ".join(database.problems()), "backups/")
    assert "backups/" in caught.value.hint


def test_a_row_that_refers_to_nothing_is_reported(tmp_path: Path, notes: Schema) -> None:
    sa.Table("replies", notes.metadata, sa.Column("to", sa.Integer, sa.ForeignKey("notes.id"), primary_key=True))
    with opened(notes, tmp_path) as database:
        with sqlite3.connect(tmp_path / "notes.db") as connection:
            connection.execute('INSERT INTO replies ("to") VALUES (7)')
        assert database.problems() == ["a row of replies refers to a missing row of notes"]


@pytest.mark.parametrize("name", ["a?b", "x%20y", "q?mode=ro", "ü #&", "it's"])
def test_any_folder_can_be_used(tmp_path: Path, notes: Schema, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with opened(notes, name) as database:
        monkeypatch.chdir("/")
        add(database)
        assert len(texts(database)) == 1
    assert {path.name for path in (tmp_path / name).iterdir()} == {"notes.db", "notes.lock"}
    assert {path.name for path in tmp_path.iterdir()} == {name, notes.migrations.name}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path, notes: Schema) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises((StageError, OSError)):
        Database(notes, tmp_path / "databases")


def test_a_bad_url_and_a_server_that_is_not_there_are_reported_without_the_password(notes: Schema) -> None:
    with pytest.raises(UserError, match="not a database URL"):
        Database(notes, "postgresql://user@host:port/name")
    with pytest.raises(StageError, match="postgresql://") as caught:
        Database(notes, "postgresql://user:secret@/name?host=/nowhere")
    assert "secret" not in str(caught.value)
    assert "server is running" in caught.value.hint


def test_a_location_like_an_option_is_refused(notes: Schema) -> None:
    with pytest.raises(UserError, match="begins with a dash"):
        Database(notes, "--stores")


@pytest.mark.parametrize("damage", [b'{"a":"x","b":[1,nulx', b'{"a":"\xff"', b"[" * 12])
def test_damage_within_a_value_is_reported(tmp_path: Path, notes: Schema, damage: bytes) -> None:
    with opened(notes, tmp_path) as database:
        add(database)
    file = tmp_path / "notes.db"
    assert file.read_bytes().count(b'{"a":"x"') == 1
    place = file.read_bytes().index(b'{"a":"x"')
    file.write_bytes(file.read_bytes()[:place] + damage + file.read_bytes()[place + len(damage) :])
    with (
        opened(notes, tmp_path) as database,
        pytest.raises(StageError, match=r"malformed|decode") as caught,
        database.read() as connection,
    ):
        connection.execute(sa.select(database.table("notes"))).all()
    assert "traceback" not in caught.value.message.lower()


def test_a_name_of_the_schema_that_is_not_utf8_is_reported(
    tmp_path: Path, notes: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quoted(*_: Any) -> None:
        b"\xd3".decode()

    with opened(notes, tmp_path) as database:
        monkeypatch.setattr(sa.engine.Connection, "exec_driver_sql", quoted)
        with pytest.raises(StageError, match="a name in its schema is not UTF-8"):
            database.problems()
