"""Counting again from the votes themselves, and deleting for good what was deleted long ago."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from patterns.memory.identity import now
from patterns.memory.people import note
from patterns.memory.scope import Scope
from patterns.memory.writing import DAY_S
from stores.agent.beliefs import lower_bound


def problems(scope: Scope) -> list[str]:
    """Damage, and counts that the events do not give, one sentence each."""
    found = [*scope.database.problems()]
    with scope.database.read() as connection:
        events = scope.select("feedback_events", "id", "member", "helpful").order_by(
            scope.column("feedback_events", "seq")
        )
        last = {(row.id, row.member): row.helpful for row in connection.execute(events)}
        votes = scope.select("pattern_feedback", "id", "member", "helpful")
        stored = {(row.id, row.member): row.helpful for row in connection.execute(votes)}
        if stored != {key: helpful for key, helpful in last.items() if helpful is not None}:
            found.append("the votes differ from what the events of voting add up to")
        counts = Counter((pattern, helpful) for (pattern, _), helpful in last.items())
        for row in connection.execute(scope.select("patterns", "id", "up", "down", "score")):
            up, down = counts[row.id, 1], counts[row.id, 0]
            if (row.up, row.down) != (up, down):
                found.append(
                    f"pattern {row.id} has {row.up} votes up and {row.down} down; its events give {up}, {down}"
                )
            elif abs(row.score - lower_bound(1 + up, 1 + down)) > 1e-9:
                found.append(f"pattern {row.id} has a score that does not follow from its votes")
    return found


def purge(scope: Scope, days: float) -> int:
    """Delete patterns for good that have been deleted for so many days, with all that hangs on them.

    Whoever has not read these deletions yet must read everything again: the sequence remembers up to where.
    """
    scope.identity.require("admin", "purge patterns")
    old = scope.column("patterns", "deleted_at") <= now(DAY_S * days)
    with scope.database.read() as connection:
        if not scope.count(connection, "patterns", old):
            return 0
    with scope.database.write() as connection:
        scope.numbers(connection, 0)
        last = connection.execute(
            scope.select("patterns", sa.func.max(scope.column("patterns", "seq"))).where(old)
        ).scalar()
        if last is None:
            return 0
        count = scope.delete(connection, "patterns", old)
        (before,) = connection.execute(scope.select("sequence", "purged_to")).one()
        scope.update(connection, "sequence", {}, purged_to=max(int(before), int(last)))
        note(scope, connection, "patterns.purge", "", patterns=count)
    return count
