"""The tables of the team's memory: no two descriptions disagree."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import ForeignKeyConstraint

from patterns.memory.tables import SCHEMA
from stores.engine.database import Database

OF_NO_TEAM = {"teams", "settings", "outbox", "sync_state"}


@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
def test_the_migrations_create_the_tables_of_the_schema(
    request: pytest.FixtureRequest, tmp_path: Path, where: str
) -> None:
    location = tmp_path if where == "sqlite" else request.getfixturevalue("postgresql")
    with contextlib.closing(Database(SCHEMA, location)) as database, database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, database.schema.metadata) == []


def test_sqlite_is_given_the_same_checks_as_the_schema_has(tmp_path: Path) -> None:
    Database(SCHEMA, tmp_path / "migrated").close()
    (tmp_path / "made").mkdir()
    made = Database(SCHEMA, tmp_path / "made")
    with made.write() as connection:
        SCHEMA.metadata.drop_all(connection)
        SCHEMA.metadata.create_all(connection)
    made.close()
    found = [_statements(tmp_path / name / "team_memory.db") for name in ("migrated", "made")]
    assert found[0] == found[1]
    assert all("STRICT" in found[0][name] for name in SCHEMA.metadata.tables)


def _statements(path: Path) -> dict[str, frozenset[str]]:
    """What each table and index is made of."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    tables = ((name, sql.replace('"', "").replace("\t", "").replace("\n", " ")) for name, sql in rows)
    return {name: frozenset(sql.replace(",", " ").replace(")", " ").split()) for name, sql in tables}


def test_every_table_of_a_team_refers_to_rows_of_that_team_alone() -> None:
    for name, table in SCHEMA.metadata.tables.items():
        if name in OF_NO_TEAM:
            assert "team_id" not in table.columns
            continue
        assert not table.columns["team_id"].nullable
        for key in table.constraints:
            if isinstance(key, ForeignKeyConstraint) and key.referred_table.name != "teams":
                assert "team_id" in [column.name for column in key.columns]
