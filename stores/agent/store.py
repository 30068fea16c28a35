"""What the three stores have in common: reading, own outcomes, seeding, checking."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import UserError
from stores.agent import transfer
from stores.agent.check import wrong_figures
from stores.agent.merge import merge_entries
from stores.agent.records import ANY, Evidence, RepositoryEvidence, RepositoryState, StoreChange
from stores.agent.rows import OWN, EntryT, StoreRows, plain, with_outcomes
from stores.engine import backup


@dataclass(frozen=True)
class Why(Generic[EntryT]):
    """Where an entry comes from."""

    entry: EntryT
    evidence: list[Evidence]
    """Some of it, newest first."""
    repositories: list[RepositoryState]
    outcomes: list[dict[str, Any]]
    """What the agent reported, newest first: {"at", "success", "detail": {"value", "note"}}."""


class Store(StoreRows[EntryT]):
    """One of the three stores. Use it as a context manager, or `close` it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def entries(self, *, retired: bool = False, **where: str) -> Iterator[EntryT]:
        """Every entry whose columns have these values, ordered by key; `retired` ones only if asked.

        Raises UserError for a column that is neither part of the key nor `source`.
        """
        unknown = set(where) - {*self.key_columns, "source"}
        if unknown:
            raise UserError(
                f"entries of {self.name} have no {min(unknown)}", f"they have {', '.join(self.key_columns)}"
            )
        query = sa.select(self.table).order_by(*(self.table.c[name] for name in self.key_columns))
        for name, value in where.items():
            query = query.where(self.table.c[name] == value)
        if not retired:
            query = query.where(self.table.c.retired == 0)
        with self.database.read() as connection:  # read them all: a slow caller must not hold a lock
            rows = connection.execute(query).mappings().all()
        yield from map(self.entry_of, rows)

    def get(self, entry_id: int) -> EntryT:
        """The entry with this id. Raises UserError if there is none."""
        with self.database.read() as connection:
            return self.entry_of(self.row(connection, entry_id))

    def best(self, archetype: str, **key: str) -> EntryT | None:
        """The entry for an archetype, otherwise the one for all; None if there is neither."""
        query = sa.select(self.table).where(
            self.table.c.retired == 0,
            self.table.c.archetype.in_((archetype, ANY)),
            *(self.table.c[name] == value for name, value in key.items()),
        )
        with self.database.read() as connection:
            rows = connection.execute(query).mappings().all()
        ranked = sorted(rows, key=lambda row: (row["archetype"] == ANY, -row["confidence"], row["id"]))
        return self.entry_of(ranked[0]) if ranked else None

    def record_outcome(
        self, entry: int | EntryT, *, success: bool, value: Mapping[str, Any] | None = None, note: str = ""
    ) -> EntryT:
        """Record how it went when the agent did what an entry recommends; returns the updated entry.

        `value` is what was really used or needed, such as {"lines": 12}. A default that is not in the store yet (its
        id is None) is added first; a later seed of its key keeps the outcomes. Raises UserError if there is no such
        entry, or if `value` is not JSON-serialisable.
        """
        self._check_type(entry)
        detail = plain({"value": dict(value or {}), "note": note})
        with self.database.write() as connection:
            entry_id = entry if isinstance(entry, int) else entry.id or self.add(connection, entry, entry.source)
            row = self.row(connection, entry_id, lock=True)
            changed = with_outcomes(row, [(success, detail["value"])])
            connection.execute(sa.update(self.table).where(self.table.c.id == entry_id).values(**changed))
            outcome = {"uid": uuid.uuid4().hex, "entry_id": entry_id, "at": _now(), "success": int(success)}
            connection.execute(sa.insert(self.outcomes).values(**outcome, detail=detail))
            return self.entry_of(self.row(connection, entry_id))

    def add_own(self, entry: EntryT) -> int:
        """Store what the agent found out itself; returns the entry's id. An entry that has its key stays as it is."""
        self._check_type(entry)
        with self.database.write() as connection:
            return self.add(connection, entry, OWN)

    def bulk_import(
        self,
        repositories: Iterable[RepositoryEvidence],
        entries: Iterable[EntryT],
        *,
        source: str,
        gate: Mapping[str, Any] | None = None,
    ) -> StoreChange:
        """Store what was mined, all or nothing: evidence, how far each repository was read, and the entries.

        `repositories` are those that changed, each with all of its evidence; `entries` are all seeded entries, so
        any other retires. Own entries and own outcomes stay as they are. If nothing changes, nothing is written.
        """
        change = StoreChange()
        with self.database.write() as connection:
            self._replace_evidence(connection, repositories, change)
            merge_entries(self, connection, entries, change)
            if change:
                run = {"at": _now(), "source": source, "change": msgspec.structs.asdict(change)}
                connection.execute(sa.insert(self.runs).values(**run, gate=dict(gate or {})))
        return change

    def bulk_import_evidence(self, repositories: Iterable[RepositoryEvidence]) -> StoreChange:
        """Store evidence without entries, all or nothing."""
        change = StoreChange()
        with self.database.write() as connection:
            self._replace_evidence(connection, repositories, change)
        return change

    def why(self, entry_id: int, *, evidence: int = 20) -> Why[EntryT]:
        """Where an entry comes from: its newest evidence and outcomes, at most `evidence` of each."""
        table = self.outcomes
        newest = sa.select(table.c.at, table.c.success, table.c.detail).where(table.c.entry_id == entry_id)
        newest = newest.order_by(table.c.at.desc()).limit(evidence)
        with self.database.read() as connection:
            entry = self.entry_of(self.row(connection, entry_id))
            seen = list(self.evidence.of(connection, *entry.evidence_of, archetype=entry.archetype, newest=evidence))
            reported = [dict(row) for row in connection.execute(newest).mappings()]
            known = {state.key: state for state in self.evidence.repositories(connection)}
        return Why(entry, seen, [known[key] for key in sorted({one.repository for one in seen})], reported)

    def check(self) -> list[str]:
        """What is wrong with the store, one sentence each: damage, or figures that do not follow from the rows."""
        if problems := self.database.problems():
            return problems
        with self.database.read() as connection:
            return wrong_figures(self, connection)

    def stats(self) -> dict[str, Any]:
        """How much the store holds, and when it was last seeded."""
        count = sa.func.count
        columns = self.table.c.source, self.table.c.retired
        with self.database.read() as connection:
            found: dict[str, Any] = {
                name: connection.execute(sa.select(count()).select_from(self.database.table(name))).scalar_one()
                for name in ("repositories", "evidence", "outcomes", "runs")
            }
            rows = connection.execute(sa.select(*columns, count()).group_by(*columns)).all()
            newest = sa.select(self.runs.c.at, self.runs.c.source).order_by(self.runs.c.id.desc()).limit(1)
            last = connection.execute(newest).first()
        found["entries"] = sum(number for _, retired, number in rows if not retired)
        found["own entries"] = sum(number for source, retired, number in rows if source == OWN and not retired)
        found["retired entries"] = sum(number for _, retired, number in rows if retired)
        found["last seeded"] = f"{last.at} from {last.source}" if last else "never"
        return found

    def export(self, path: str | Path) -> int:
        """Write the whole store as JSON lines (stores/agent/transfer.py); returns the number of lines."""
        return transfer.export(self, Path(path))

    def import_(self, path: str | Path) -> transfer.Imported:
        """Read an export: outcomes and own entries into any store, evidence only into a store without any.

        All or nothing. Raises UserError if the file is damaged, newer, or of another store.
        """
        return transfer.import_(self, Path(path))

    def backup(self) -> Path | None:
        """Copy the store into the backups/ folder next to it, where the newest seven are kept. None for PostgreSQL."""
        return backup.backup(self.database)

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy of the store as a SQLite file, whole or not at all."""
        backup.copy_to(self.database, target)

    def _check_type(self, entry: int | EntryT) -> None:
        if not isinstance(entry, int | self.entry_type):
            raise UserError(
                f"{self.name} holds no {type(entry).__name__}", f"it holds {self.entry_type.__name__} entries"
            )

    def _replace_evidence(
        self, connection: Connection, repositories: Iterable[RepositoryEvidence], change: StoreChange
    ) -> None:
        for one in repositories:
            self.evidence.replace(connection, one, change)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
