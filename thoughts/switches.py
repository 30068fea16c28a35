"""The kill switches: one of each repository, and one of all repositories of a database, which goes before these."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from stores.engine.database import Database

EVERYWHERE, HERE = "everywhere", "here"
"""The switch of all repositories, and that of one."""


class Switches:
    """The switches of a database. `clock` gives seconds since 1970."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database, self._now = database, clock
        self._repositories, self._switches = database.table("repositories"), database.table("switches")

    def set(self, *, on: bool, repository: str = "") -> None:
        """Let a repository be studied, or not: then nothing starts, and what runs ends. Without one, all of them."""
        with self._database.write() as connection:
            if repository:
                mine = sa.update(self._repositories).where(self._repositories.c.key == repository)
                connection.execute(mine.values(studying=int(on)))
                return
            connection.execute(sa.delete(self._switches).filter_by(name=EVERYWHERE))
            connection.execute(sa.insert(self._switches).values(name=EVERYWHERE, is_on=int(on), at=self._now()))

    def off_by(self, repository: str) -> str:
        """Which switch keeps a repository from being studied: EVERYWHERE, HERE, or "" for none."""
        query = sa.select(self._repositories.c.studying, self._is_off.label("off"))
        with self._database.read() as connection:
            row = connection.execute(query.where(self._repositories.c.key == repository)).one()
        return EVERYWHERE if row.off else "" if row.studying else HERE

    @property
    def may_study(self) -> sa.ColumnElement[bool]:
        """Whether a row of `repositories` may be studied, for a query."""
        return sa.and_(self._repositories.c.studying == 1, ~self._is_off)

    @property
    def _is_off(self) -> sa.ColumnElement[bool]:
        return sa.exists().where(self._switches.c.name == EVERYWHERE, self._switches.c.is_on == 0)
