"""Statements about the rows of one team: the only place where they are made, so that none forgets whose rows it means.

A test holds that the rest of the memory makes none of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from patterns.memory.identity import Identity
from stores.engine.database import Database


class Scope:
    """The rows of the team that an identity belongs to."""

    def __init__(self, database: Database, identity: Identity) -> None:
        self.database, self.identity = database, identity
        self.team_id = identity.team_id

    def column(self, table: str, name: str) -> sa.Column[Any]:
        """A column, for conditions."""
        return self.database.table(table).c[name]

    def select(self, table: str, *columns: Any) -> sa.Select[Any]:
        """A query of the team's rows; all columns unless some are named."""
        found = self.database.table(table)
        wanted = [found.c[one] if isinstance(one, str) else one for one in columns] or [found]
        return sa.select(*wanted).select_from(found).where(found.c.team_id == self.team_id)

    def row(self, connection: Connection, table: str, **key: Any) -> RowMapping | None:
        """The team's row with these values; None where there is none."""
        if any(isinstance(value, str) and "\0" in value for value in key.values()):
            return None  # PostgreSQL refuses even to look for it
        found = self.database.table(table)
        query = self.select(table).where(*(found.c[name] == value for name, value in key.items()))
        return connection.execute(query).mappings().first()

    def insert(self, connection: Connection, table: str, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """Add rows to the team's."""
        given = [rows] if isinstance(rows, Mapping) else rows
        if given:
            statement = sa.insert(self.database.table(table))
            connection.execute(statement, [{**row, "team_id": self.team_id} for row in given])

    def update(self, connection: Connection, table: str, where: Mapping[str, Any], **values: Any) -> int:
        """Change the team's rows that have these values; how many there were."""
        found = self.database.table(table)
        statement = sa.update(found).where(found.c.team_id == self.team_id, *_equal(found, where)).values(**values)
        return connection.execute(statement).rowcount

    def delete(self, connection: Connection, table: str, *conditions: Any, **where: Any) -> int:
        """Delete the team's rows that have these values; how many there were."""
        found = self.database.table(table)
        statement = sa.delete(found).where(found.c.team_id == self.team_id, *_equal(found, where), *conditions)
        return connection.execute(statement).rowcount

    def count(self, connection: Connection, table: str, *conditions: Any) -> int:
        """How many rows of the team meet the conditions."""
        return int(connection.execute(self.select(table, sa.func.count()).where(*conditions)).scalar_one())

    def numbers(self, connection: Connection, count: int) -> int:
        """The first of `count` new numbers for rows that are about to be written.

        To be asked for first of all in a transaction: until it ends, every other writer of the team waits here. So rows
        become visible in the order of their numbers, and nobody who has read up to one misses a smaller one.
        """
        table = self.database.table("sequence")
        statement = (
            sa.update(table)
            .where(table.c.team_id == self.team_id)
            .values(value=table.c.value + count)
            .returning(table.c.value)
        )
        return int(connection.execute(statement).scalar_one()) - count + 1


def _equal(table: sa.Table, where: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in where.items()]
