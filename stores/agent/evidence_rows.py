"""The evidence in a store: the repositories that were read, and what was observed in which commit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from stores.agent.records import ANY, Evidence, Observation, RepositoryEvidence, RepositoryState, StoreChange
from stores.engine.database import Database

_BATCH = 1000
_KEY = ("context_type", "option", "repository_id", "sha")


class EvidenceRows:
    """The tables `repositories` and `evidence` of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._evidence = database.table("evidence")
        self._repositories = database.table("repositories")
        columns = (sa.Column(one.name, one.type, primary_key=one.name in _KEY) for one in self._evidence.columns)
        self._dialect: Any = postgresql if database.is_postgresql else sqlite
        self._incoming = sa.Table("incoming", sa.MetaData(), *columns, prefixes=["TEMPORARY"], sqlite_with_rowid=False)

    def repositories(self, connection: Connection) -> Iterator[RepositoryState]:
        """Every repository that was read, ordered by key."""
        for row in connection.execute(sa.select(self._repositories).order_by(self._repositories.c.key)).mappings():
            yield RepositoryState(**{name: row[name] for name in RepositoryState.__struct_fields__})

    def states(self) -> dict[str, RepositoryState]:
        """Every repository that was read, by its key."""
        with self._database.read() as connection:
            return {state.key: state for state in self.repositories(connection)}

    def of_repository(self, key: str) -> Iterator[Evidence]:
        """All evidence from one repository, ordered by context type, option and commit.

        Reads page by page, because a long read transaction keeps writers from committing.
        """
        order = [self._evidence.c[name] for name in ("context_type", "option", "sha")]
        query = page = self._rows().where(self._repositories.c.key == key).order_by(*order).limit(_BATCH)
        while True:
            with self._database.read() as connection:
                found = list(_records(connection, page))
            yield from found
            if len(found) < _BATCH:
                return
            last = found[-1]
            page = query.where(sa.tuple_(*order) > (last.context_type, last.option, last.sha))

    def everything(self, connection: Connection) -> Iterator[Evidence]:
        """All evidence, repository by repository."""
        yield from _records(connection, self._rows().order_by(self._repositories.c.key, *self._evidence.primary_key))

    def of(
        self, connection: Connection, context_type: str, option: str, *, archetype: str = ANY, newest: int | None = None
    ) -> Iterator[Evidence]:
        """The evidence of one entry; only the `newest` pieces of it if that is given."""
        query = self._rows().where(*self._conditions(context_type, option, archetype))
        if newest is not None:
            query = query.order_by(self._evidence.c.at.desc(), self._evidence.c.sha).limit(newest)
        return _records(connection, query)

    def observations(
        self, connection: Connection, context_type: str, option: str, archetype: str = ANY
    ) -> Iterator[tuple[str, Observation]]:
        """(repository, observation) of all evidence of one entry."""
        columns = self._repositories.c.key, self._evidence.c.outcome
        query = self._select(*columns).where(*self._conditions(context_type, option, archetype))
        yield from _streamed(connection, query)

    def of_context(self, connection: Connection, context_type: str) -> Iterator[tuple[str, str, int, Observation]]:
        """(repository, option, time, observation) of a whole context type, by repository, oldest first."""
        key, evidence = self._repositories.c.key, self._evidence.c
        query = self._select(key, evidence.option, evidence.at, evidence.outcome)
        query = query.where(evidence.context_type == context_type)
        yield from _streamed(connection, query.order_by(key, evidence.at, evidence.sha, evidence.option))

    def options(self, connection: Connection, context_type: str) -> list[tuple[str, str]]:
        """The (option, archetype) pairs with evidence, each option also with the archetype `*`."""
        query = self._select(self._evidence.c.option, self._repositories.c.archetype).distinct()
        rows = connection.execute(query.where(self._evidence.c.context_type == context_type))
        pairs = {(option, archetype) for option, archetype in rows}
        return sorted(pairs | {(option, ANY) for option, _ in pairs})

    def replace(self, connection: Connection, one: RepositoryEvidence, change: StoreChange) -> None:
        """Make this the only evidence of its repository, without touching rows that are already right."""
        number, changed = self._put_state(connection, one.state)
        change.repositories += changed
        self._incoming.create(connection)
        try:
            evidence = iter(one.evidence)
            while rows := [_row(piece, number) for piece in islice(evidence, _BATCH)]:
                # Duplicates count once.
                connection.execute(self._dialect.insert(self._incoming).on_conflict_do_nothing(), rows)
            new, old = self._incoming, self._evidence
            same_key = [old.c[name] == new.c[name] for name in _KEY]
            stale = sa.delete(old).where(old.c.repository_id == number, ~sa.exists().where(*same_key).correlate(old))
            change.evidence_removed += connection.execute(stale).rowcount
            equal = [*same_key, old.c.at == new.c.at, old.c.outcome == new.c.outcome, old.c.note == new.c.note]
            fresh = sa.select(new).where(~sa.exists().where(*equal).correlate(new))
            change.evidence_added += self._upsert(connection, fresh)
        finally:
            self._incoming.drop(connection)

    def _put_state(self, connection: Connection, state: RepositoryState) -> tuple[int, bool]:
        """(id of the repository, whether its row changed)."""
        table = self._repositories
        values = msgspec.structs.asdict(state)
        row = connection.execute(sa.select(table).where(table.c.key == state.key)).mappings().first()
        if row is None:
            return new_id(connection.execute(sa.insert(table).values(**values))), True
        if all(row[name] == value for name, value in values.items()):
            return int(row["id"]), False
        connection.execute(sa.update(table).where(table.c.id == row["id"]).values(**values))
        return int(row["id"]), True

    def _upsert(self, connection: Connection, fresh: sa.Select[Any]) -> int:
        names = [column.name for column in self._evidence.columns]
        # SQLite needs a WHERE in a SELECT before ON CONFLICT, which `fresh` has.
        insert: Any = self._dialect.insert(self._evidence).from_select(names, fresh)
        values = {name: insert.excluded[name] for name in names if name not in _KEY}
        statement = insert.on_conflict_do_update(index_elements=_KEY, set_=values)
        return int(connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount)

    def _rows(self) -> sa.Select[Any]:
        columns = [column for column in self._evidence.columns if column.name != "repository_id"]
        return self._select(*columns, self._repositories.c.key.label("repository"))

    def _select(self, *columns: Any) -> sa.Select[Any]:
        """Columns of evidence and its repository."""
        return sa.select(*columns).join_from(self._evidence, self._repositories)

    def _conditions(self, context_type: str, option: str, archetype: str) -> list[Any]:
        conditions = [self._evidence.c.context_type == context_type, self._evidence.c.option == option]
        return conditions if archetype == ANY else [*conditions, self._repositories.c.archetype == archetype]


def new_id(done: sa.CursorResult[Any]) -> int:
    """The id of the inserted row."""
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def _row(piece: Evidence, repository: int) -> dict[str, Any]:
    fields = msgspec.structs.asdict(piece)
    del fields["repository"]
    return {**fields, "repository_id": repository}


def _records(connection: Connection, query: sa.Select[Any]) -> Iterator[Evidence]:
    return (Evidence(**row) for row in _streamed(connection, query).mappings())


def _streamed(connection: Connection, query: sa.Select[Any]) -> Any:
    """The rows of a query, read in batches."""
    return connection.execution_options(yield_per=_BATCH).execute(query)
