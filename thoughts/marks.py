"""What people said of the insights of a kind: they read, kept or dismissed them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import msgspec

from chat.statements import Statement

MOST = 2_000
"""Marked insights that are remembered, the newest ones."""


@dataclass(frozen=True)
class Marked:
    """An insight with what was said of it."""

    title: str
    statements: tuple[Statement, ...]
    state: str
    """"read", "kept" or "dismissed"."""


def marked(place: str, repository: str, kind: str) -> list[Marked]:
    """The insights of a kind that were marked in the database at a place, the newest first."""
    import sqlalchemy as sa

    from stores.engine.database import Database
    from thoughts.tables import SCHEMA

    with closing(Database(SCHEMA, place, create=False)) as database, database.read() as connection:
        table = database.table("insights")
        query = sa.select(table.c.title, table.c.statements, table.c.state).where(table.c.state != "new")
        query = query.filter_by(repository=repository, kind=kind).order_by(table.c.id.desc()).limit(MOST)
        return [Marked(row.title, _statements(row.statements), row.state) for row in connection.execute(query)]


def _statements(kept: object) -> tuple[Statement, ...]:
    return msgspec.convert(kept, tuple[Statement, ...])
