"""A server for indexes that are shared."""

from __future__ import annotations

import psycopg
import pytest


@pytest.fixture
def empty_server(postgresql: str) -> str:
    """The URL of a server without indexes."""
    with psycopg.connect(postgresql) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'code%'").fetchall()
        for (name,) in rows:
            connection.execute(f'DROP SCHEMA "{name}" CASCADE'.encode())
    return postgresql
