"""The tables of the stores: databases made by earlier versions stay readable, and no two descriptions disagree."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable
from stores_made_up import entry

from stores import FailureStore, PatternStore, VVectorStore
from stores.agent.context_types import CONTEXT_TYPES, STORE_NAMES, StoreName
from stores.agent.schema import ENTRIES, REVISION, schema_of
from stores.agent.store import Store
from stores.engine.database import Database

VERSION_1 = Path(__file__).with_name("version_1")
"""What the first version wrote, as `sqlite3 FILE .dump` prints it."""
STORES: tuple[type[Store[Any]], ...] = (VVectorStore, PatternStore, FailureStore)


def tables(path: Path) -> dict[str, str]:
    """The statements that made the tables and indexes of a SQLite file."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


@pytest.mark.parametrize("kind", STORES, ids=lambda kind: kind.name)
def test_a_database_of_the_first_version_opens_and_has_the_same_tables_as_a_new_one(
    tmp_path: Path, kind: type[Store[Any]]
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    with contextlib.closing(sqlite3.connect(old / f"{kind.name}.db")) as connection:
        connection.executescript((VERSION_1 / f"{kind.name}.sql").read_text(encoding="utf-8"))
        connection.execute("PRAGMA user_version=1")
    kind(new).close()
    assert tables(old / f"{kind.name}.db") == tables(new / f"{kind.name}.db")
    with kind(old, create=False) as store:
        assert store.check() == []
        (before,) = store.entries()
        after = store.record_outcome(before, success=True)
        assert after.own.successes == before.own.successes + 1
        assert store.check() == []


def test_the_rows_of_the_first_version_mean_what_they_meant(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "v_vector_history.db")) as connection:
        connection.executescript((VERSION_1 / "v_vector_history.sql").read_text(encoding="utf-8"))
        connection.execute("PRAGMA user_version=1")
    with VVectorStore(tmp_path) as store:
        why = store.why(1)
        assert why.entry.evolved_value == {"max_edits": 3}
        assert (why.entry.prior, why.entry.own.value) == ((18.0, 4.0), {"lines": 3})
        assert [piece.outcome["lines"] for piece in why.evidence] == [3, 2, 1]
        assert [report["detail"]["note"] for report in why.outcomes] == ["ñ"]


def test_each_database_is_named_once() -> None:
    assert [kind.name for kind in STORES] == list(STORE_NAMES) == list(ENTRIES)
    assert {context.store for context in CONTEXT_TYPES.values()} == set(STORE_NAMES)


@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
@pytest.mark.parametrize("name", STORE_NAMES)
def test_the_migrations_create_the_tables_of_the_schema(
    request: pytest.FixtureRequest, tmp_path: Path, name: StoreName, where: str
) -> None:
    location = tmp_path if where == "sqlite" else request.getfixturevalue("postgresql")
    with contextlib.closing(Database(schema_of(name), location)) as database, database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, database.schema.metadata) == []


@pytest.mark.parametrize("name", STORE_NAMES)
def test_every_sqlite_table_is_strict_and_made_as_the_schema_says(tmp_path: Path, name: StoreName) -> None:
    Database(schema_of(name), tmp_path).close()
    path, wanted = tmp_path / f"{name}.db", schema_of(name).metadata.tables
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (REVISION,)
    made = tables(path)
    for table in wanted:
        assert "STRICT" in made[table]
        statement = str(CreateTable(wanted[table]).compile(dialect=sqlite.dialect()))
        assert sorted(re.findall(r"\w+", made[table])) == sorted(re.findall(r"\w+", statement))


@pytest.mark.parametrize(
    ("column", "value"),
    [("evolved_value", "no json"), ("evolved_value", "[1]"), ("confidence", 1.5), ("sample_count", "many")],
)
def test_sqlite_refuses_what_no_reader_understands(tmp_path: Path, column: str, value: object) -> None:
    with VVectorStore(tmp_path) as store:
        store.add_own(entry(option="guard_fix"))
    with sqlite3.connect(tmp_path / "v_vector_history.db") as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"UPDATE v_vectors SET {column} = ?", (value,))
