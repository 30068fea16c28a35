"""`LocalMemory`: the team's patterns on a member's own machine, to read and to write without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy.engine import Connection

from core.errors import UserError
from core.history.messages import Pseudonyms
from patterns.memory import people, writing
from patterns.memory.identity import Identity, Role, now
from patterns.memory.operations import Operation, Outcome
from patterns.memory.outbox import Outbox, Waiting
from patterns.memory.scope import Scope
from patterns.memory.tables import SCHEMA
from patterns.memory.team_memory import Team, TeamMemory

TEAM, ME = "local", "me"
_CHANGED = ("added", "known", "done")


class LocalMemory:
    """The same tables as a server's with one team, and an outbox of what is to be delivered."""

    def __init__(self, folder: str | Path, *, pseudonyms: Pseudonyms | None = None) -> None:
        """Open it, or make it. With `pseudonyms`, e-mail addresses are hashed before anything is written."""
        self.memory = TeamMemory(folder)
        self.outbox = Outbox(self.memory.database)
        self._pseudonyms = pseudonyms
        found = people.team_named(self.memory.database, TEAM)
        self._team_id = found or self.memory.found(TEAM, ME).team_id
        self._cursors = self.memory.cursors  # made now: it may write, and that not within another write

    def close(self) -> None:
        """Close all connections."""
        self.memory.close()

    @property
    def team(self) -> Team:
        """The team, as the owner of this machine sees it."""
        with self.memory.database.read() as connection:
            return self.memory.team(self._scope(connection).identity)

    def do(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Do operations here, and put those that change something into the outbox, all or none of it.

        What is refused leaves the others be; the server has the last word when they are delivered.
        """
        masked = [writing.ready(one, self._pseudonyms) for one in operations]
        with self.memory.database.write() as connection:
            outcomes = writing.apply_within(self._scope(connection), connection, masked)
            changed = zip(masked, outcomes, strict=True)
            waiting = [Waiting(one, outcome.id) for (one, _), outcome in changed if outcome.status in _CHANGED]
            self.outbox.add(connection, waiting)
        return outcomes

    def waiting(self) -> int:
        """How many operations are to be delivered."""
        with self.memory.database.read() as connection:
            return self.outbox.count(connection)

    def become(self, connection: Connection, remote: str, whoami: Mapping[str, Any]) -> None:
        """Take the name and the role that a server knows this machine's owner by.

        Raises UserError where this memory is of another team or member.
        """
        named = str(whoami["team_id"]), str(whoami["member"])
        known = self.outbox.member(connection)
        if known and known != named:
            raise UserError(
                f"this memory is of {known[1]}, the key of {remote} is of {named[1]} or of another team",
                "use that key with a folder of its own: --memory DIR",
            )
        before = known[1] if known else ME
        scope = self._scope(connection)
        scope.update(connection, "members", {"name": before}, name=named[1], role=str(whoami["role"]))
        self.outbox.remember(connection, remote, {"team": named[0], "member": named[1]})

    def take(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Put patterns in place as a server has them, and on top of them what is not delivered yet.

        Within a transaction that has not written yet, or that has asked for numbers before.
        """
        if not rows:
            return
        scope = self._scope(connection)
        ids = [str(row["id"]) for row in rows]
        pending = self.outbox.about(connection, ids)
        first = scope.numbers(connection, len(rows) + len(pending))
        named = {row["created_by"] for row in rows} | {one["member"] for row in rows for one in row["occurrences"]}
        self._know(scope, connection, named)
        scope.delete(connection, "patterns", scope.column("patterns", "id").in_(ids))
        mine = {"member": scope.identity.member, "note": "", "used_at": None, "at": now()}
        kept = [{name: row[name] for name in _columns("patterns")} for row in rows]
        for at, row in enumerate(kept):
            row |= {"seq": first + at, "with_test": int(row["with_test"]), "survival": row["survival"] or {}}
        scope.insert(connection, "patterns", kept)
        scope.insert(
            connection, "occurrences", [{**one, "id": row["id"]} for row in rows for one in row["occurrences"]]
        )
        votes = [(row["id"], row["my_vote"]) for row in rows if row["my_vote"] is not None]
        scope.insert(connection, "pattern_feedback", [{**mine, "id": id_, "helpful": int(vote)} for id_, vote in votes])
        for at, one in enumerate(pending):
            writing.redo(scope, connection, one.operation, first + len(rows) + at)

    def take_conventions(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """The same for conventions: a later look at one is delivered soon."""
        if not rows:
            return
        scope = self._scope(connection)
        first = scope.numbers(connection, len(rows))
        self._know(scope, connection, {row["member"] for row in rows})
        among = scope.column("templates", "template_id").in_([row["template_id"] for row in rows])
        scope.delete(connection, "templates", among)
        kept = [
            {name: row[name] for name in _columns("templates")} | {"seq": first + at} for at, row in enumerate(rows)
        ]
        scope.insert(connection, "templates", kept)

    def keep_only(self, connection: Connection, ids: set[str]) -> int:
        """Delete what a server no longer has, unless something about it is to be delivered; how many that were."""
        scope = self._scope(connection)
        kept = ids | self.outbox.targets(connection)
        gone = [row.id for row in connection.execute(scope.select("patterns", "id")) if row.id not in kept]
        for start in range(0, len(gone), 500):
            scope.delete(connection, "patterns", scope.column("patterns", "id").in_(gone[start : start + 500]))
        return len(gone)

    @staticmethod
    def _know(scope: Scope, connection: Connection, names: set[str]) -> None:
        """Note the members that rows speak of: they are known here by their names alone."""
        known = {row.name for row in connection.execute(scope.select("members", "name"))}
        new = {"email": "", "role": "reader", "created_at": now(), "disabled_at": None}
        scope.insert(connection, "members", [{**new, "name": name} for name in sorted(names - known)])

    def _scope(self, connection: Connection) -> Scope:
        """The rows of the team, for the owner of this machine."""
        known = self.outbox.member(connection)
        nobody = Identity(self._team_id, TEAM, known[1] if known else ME, "reader")
        row = Scope(self.memory.database, nobody).row(connection, "members", name=nobody.member)
        assert row is not None, "the owner is a member from the beginning"
        return Scope(self.memory.database, replace(nobody, role=cast("Role", row["role"])))


def _columns(table: str) -> list[str]:
    """What a row of a server's must have; whatever else it has is of a later version."""
    return [column.name for column in SCHEMA.metadata.tables[table].columns if column.name != "team_id"]
