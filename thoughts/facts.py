"""Facts as they are kept: what jobs left for later jobs and for answers."""

from __future__ import annotations

import sqlalchemy as sa

from stores.engine.database import Database
from thoughts.kind import Fact


def facts_of(database: Database, repository: str, name: str = "") -> list[Fact]:
    """The facts of a name that are kept of a repository, by scope; all, by name and scope, for no name."""
    table = database.table("facts")
    query = sa.select(table).where(table.c.repository == repository).order_by(table.c.name, table.c.scope)
    with database.read() as connection:
        rows = connection.execute(query.where(table.c.name == name) if name else query)
        return [Fact(row.name, row.scope, row.value["value"], row.commit, row.blob) for row in rows]
