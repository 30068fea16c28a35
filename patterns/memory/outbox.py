"""What a member's own machine has to remember besides the patterns: what is to be delivered, and what was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.engine import Connection, RowMapping

from patterns.memory.identity import now
from patterns.memory.operations import Operation
from stores.engine.database import Database

_OPERATION: TypeAdapter[Operation] = TypeAdapter(Operation)


class Waiting(NamedTuple):
    """An operation that is to be delivered."""

    operation: Operation
    target: str
    """UUID of its pattern here."""


class Outbox:
    """Operations in the order in which they were done here, and how far each server's news was read."""

    def __init__(self, database: Database) -> None:
        self._rows, self._states = database.table("outbox"), database.table("sync_state")

    def add(self, connection: Connection, waiting: Iterable[Waiting]) -> None:
        """Deliver these later."""
        at = now()
        rows = [
            {"uid": one.uid, "target": target, "operation": one.model_dump(mode="json"), "at": at, "tries": 0}
            for one, target in waiting
        ]
        if rows:
            connection.execute(sa.insert(self._rows), rows)

    def first(self, connection: Connection, most: int) -> list[Waiting]:
        """The first ones."""
        return self._found(connection, sa.select(self._rows).limit(most))

    def about(self, connection: Connection, patterns: Iterable[str]) -> list[Waiting]:
        """All that are about some patterns."""
        return self._found(connection, sa.select(self._rows).where(self._rows.c.target.in_(list(patterns))))

    def _found(self, connection: Connection, query: sa.Select[Any]) -> list[Waiting]:
        found = connection.execute(query.order_by(self._rows.c.number)).mappings()
        return [Waiting(_OPERATION.validate_python(row["operation"]), row["target"]) for row in found]

    def count(self, connection: Connection) -> int:
        """How many there are."""
        return int(connection.execute(sa.select(sa.func.count()).select_from(self._rows)).scalar_one())

    def tried(self, connection: Connection, uids: Iterable[str]) -> None:
        """Note that these are on their way."""
        among = self._rows.c.uid.in_(list(uids))
        connection.execute(sa.update(self._rows).where(among).values(tries=self._rows.c.tries + 1))

    def delivered(self, connection: Connection, uids: Iterable[str]) -> None:
        """Forget those that a server has answered."""
        connection.execute(sa.delete(self._rows).where(self._rows.c.uid.in_(list(uids))))

    def targets(self, connection: Connection) -> set[str]:
        """UUIDs of the patterns that something waits for."""
        return set(connection.execute(sa.select(self._rows.c.target)).scalars())

    def state(self, connection: Connection, remote: str) -> RowMapping | None:
        """What is known of a server; None before the first visit."""
        return connection.execute(sa.select(self._states).where(self._states.c.remote == remote)).mappings().first()

    def member(self, connection: Connection) -> tuple[str, str] | None:
        """The team and the member that this memory is of, as the servers named them; None before the first visit."""
        row = connection.execute(sa.select(self._states.c.team, self._states.c.member)).first()
        return (row.team, row.member) if row else None

    def remember(self, connection: Connection, remote: str, values: Mapping[str, Any]) -> None:
        """Note what is known of a server."""
        row = {**(self.state(connection, remote) or {"cursor": ""}), **values, "remote": remote, "at": now()}
        connection.execute(sa.delete(self._states).where(self._states.c.remote == remote))
        connection.execute(sa.insert(self._states).values(**row))
