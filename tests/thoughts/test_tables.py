"""The migration makes exactly the tables that are described."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from stores.engine.database import Database
from thoughts.tables import SCHEMA


def test_the_migration_makes_what_is_described(database: Database) -> None:
    with database.read() as connection:
        options = {"compare_type": True, "include_name": lambda name, kind, _: name != "alembic_version"}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, SCHEMA.metadata) == []
    assert database.problems() == []
