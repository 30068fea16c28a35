"""A database of studies on either kind of server, with one repository that may use a lot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from stores.engine.database import Database
from thoughts.budgets import Budgets
from thoughts.tables import SCHEMA

REPOSITORY = "r1"
PLENTY = {"cpu_s": 86_400.0, "io_bytes": 1e12, "model_s": 86_400.0}


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a database of studies can be opened: a folder, or a server without one."""
    if request.param == "sqlite":
        return str(tmp_path / "study")
    import psycopg

    url: str = request.getfixturevalue("postgresql")
    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA IF EXISTS study CASCADE")
    return url


@pytest.fixture
def opened(place: str) -> Iterator[Callable[[], Database]]:
    """Opens the database again and again; the first time it is made, with a repository in it."""
    databases: list[Database] = []

    def open_it() -> Database:
        database = Database(SCHEMA, place)
        if not databases:
            with database.write() as connection:
                row = {"key": REPOSITORY, "location": "/r", "zone": "UTC", "quiet": "", "studying": 1, "added_at": 0.0}
                row |= {"background": 0, "kinds": ""}
                connection.execute(sa.insert(database.table("repositories")).values(**row))
                Budgets(connection, REPOSITORY, 0.0).set(PLENTY, 0.0)
        databases.append(database)
        return database

    yield open_it
    for database in databases:
        database.close()


@pytest.fixture
def database(opened: Callable[[], Database]) -> Database:
    """The database."""
    return opened()
