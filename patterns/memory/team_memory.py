"""`TeamMemory`: the database of a team's patterns, and what one of its members may do with it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa

from core.errors import StageError
from patterns.adapters.files import MOST_BYTES, AdapterFiles
from patterns.adapters.versions import Versions
from patterns.memory import checking, people, writing
from patterns.memory.cursors import Cursors
from patterns.memory.identity import Identity
from patterns.memory.operations import Operation, Outcome
from patterns.memory.people import People
from patterns.memory.reading import Reading
from patterns.memory.scope import Scope
from patterns.memory.tables import SCHEMA
from stores.engine.database import Database

ADAPTERS = Path("outputs/team/adapters")
"""Where the files of adapters are, beside a database that is in no folder."""
_SECRET = "cursor_secret"  # noqa: S105 - the name of one


class TeamMemory:
    """Patterns, members and votes of teams: SQLite in a folder, or PostgreSQL by a URL."""

    def __init__(
        self,
        location: str | Path,
        *,
        create: bool = True,
        adapters: Path | None = None,
        most_adapter_bytes: int = MOST_BYTES,
    ) -> None:
        """Open it, and create its tables where needed. `adapters` is the folder of the adapters' files, by default
        beside a SQLite file, and `ADAPTERS` for PostgreSQL; a file may have `most_adapter_bytes`.

        Raises UserError if it does not exist and `create` is False; StageError if it cannot be opened.
        """
        self.database = Database(SCHEMA, location, create=create)
        path = self.database.path
        self._adapters = (adapters or (path.parent / "adapters" if path else ADAPTERS)).resolve()
        self._most_adapter_bytes = most_adapter_bytes

    def __enter__(self) -> TeamMemory:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def is_connected(self) -> bool:
        """Whether the database answers."""
        try:
            with self.database.read() as connection:
                return connection.execute(sa.select(sa.literal(1))).scalar() == 1
        except StageError:
            return False

    def found(self, team: str, admin: str) -> Identity:
        """Make a team with its first admin."""
        return people.found_team(self.database, team, admin)

    def admin(self, team: str = "") -> Identity | None:
        """An admin of a team, for whoever works on the database itself; None where there is no such team."""
        return people.admin_of(self.database, team)

    def admins(self) -> list[Identity]:
        """An admin of each team, for what a server does for all of them."""
        return people.admins(self.database)

    def identify(self, key: str) -> Identity | None:
        """Whose key this is; None where it admits nobody."""
        return people.identify(self.database, key)

    def identify_session(self, prefix: str) -> Identity | None:
        """The same for whoever has shown the key before."""
        return people.identify_session(self.database, prefix)

    def purge(self, days: float = writing.KEPT_DAYS) -> int:
        """Delete for good what any team has deleted for so many days; how many patterns that were."""
        admins = [people.admin_of(self.database, name) for name in people.team_names(self.database)]
        return sum(self.team(admin).purge(days) for admin in admins if admin)

    def team(self, identity: Identity, ip: str = "") -> Team:
        """The team of a member, as they may see and change it."""
        return Team(self, identity, ip)

    def adapter_files(self, team_id: str) -> AdapterFiles:
        """The files of a team's adapters: each team has a folder of its own."""
        return AdapterFiles(self._adapters / team_id, self._most_adapter_bytes)

    @cached_property
    def cursors(self) -> Cursors:
        """What signs the places in lists, the same in every process that serves this database."""
        settings = self.database.table("settings")
        query = sa.select(settings.c.value).where(settings.c.name == _SECRET)
        with self.database.read() as connection:
            found = connection.execute(query).scalar()
        if found is None:
            with self.database.write() as connection:
                found = connection.execute(query).scalar()  # another process may have been first
                if found is None:
                    found = secrets.token_hex(32)
                    connection.execute(sa.insert(settings).values(name=_SECRET, value=found))
        return Cursors(found)


class Team:
    """One team, as one of its members sees it."""

    def __init__(self, memory: TeamMemory, identity: Identity, ip: str = "") -> None:
        self.identity, self._ip = identity, ip
        self.scope = Scope(memory.database, identity)
        self.reading = Reading(self.scope, memory.cursors)
        files = memory.adapter_files(identity.team_id)
        self.adapters = Versions(self.scope, files, memory.cursors, ip)

    @property
    def people(self) -> People:
        """Members and keys, for admins."""
        return People(self.scope, self._ip)

    def apply(self, operations: Sequence[Operation], *, kept_days: float = writing.KEPT_DAYS) -> list[Outcome]:
        """Do operations in order; what is refused leaves the others be. Delivered again, they are not done again."""
        return writing.apply(self.scope, operations, kept_days=kept_days, ip=self._ip)

    def check(self) -> list[str]:
        """What does not follow from the votes, one sentence each."""
        return checking.problems(self.scope)

    def purge(self, days: float = writing.KEPT_DAYS) -> int:
        """Delete for good what has been deleted for so many days; how many patterns that were."""
        return checking.purge(self.scope, days)
