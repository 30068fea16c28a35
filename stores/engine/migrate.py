"""Bringing a database's tables up to date, with Alembic.

SQLite keeps the revision as `user_version` too, so that opening an up-to-date database does not load Alembic.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from stores.engine.schema import Schema


def revision_of(connection: Connection, schema: Schema) -> int:
    """The number of the last migration that ran; 0 where there are no tables yet."""
    if connection.dialect.name == "sqlite":
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    table = connection.execute(sa.select(sa.func.to_regclass(f"{schema.name}.alembic_version"))).scalar_one()
    if table is None:
        return 0
    number = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return int(number) if number else 0


def upgrade(connection: Connection, schema: Schema) -> None:
    """Run all migrations that are missing, within the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema.name}"')
    config = Config()
    for option, value in {
        "script_location": Path(__file__).parent,  # where env.py is
        "version_locations": schema.migrations,
        "path_separator": "newline",  # any other may be part of a path
    }.items():
        config.set_main_option(option, str(value).replace("%", "%%"))
    config.attributes.update(connection=connection, schema=schema)
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version={schema.revision}")
