"""What the three stores have in common: asking, own outcomes, seeding, checking.

Seeded and own knowledge live side by side in a row and never mix: seeding writes the prior and what was learnt from
evidence, an agent writes its outcomes; `confidence` is made of both.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from core.errors import UserError
from stores.agent import beliefs
from stores.agent.context_types import CONTEXT_TYPES, StoreName
from stores.agent.evidence_rows import EvidenceRows, new_id
from stores.agent.records import ANY, Change, Entry, Evidence, Own, RepositoryEvidence, RepositoryState
from stores.agent.schema import ENTRIES, schema_of
from stores.agent.summary import collect, figures
from stores.engine import backup
from stores.engine.database import Database

EntryT = TypeVar("EntryT", bound=Entry)
OWN, WITHDRAWN = "own", "withdrawn"
UNSEEDED = (OWN, WITHDRAWN, "default")
"""Sources of entries that no seed stands behind: an agent's own, those whose evidence is gone, reported defaults."""


@dataclass(frozen=True)
class Why(Generic[EntryT]):
    """Where an entry comes from."""

    entry: EntryT
    evidence: list[Evidence]
    """Some of it, newest first."""
    repositories: list[RepositoryState]
    outcomes: list[dict[str, Any]]
    """What the agent reported, newest first."""


class Store(Generic[EntryT]):
    """One of the three stores. Use as a context manager, or `close` it."""

    name: ClassVar[StoreName]
    entry_type: type[EntryT]

    def __init__(self, location: str | Path = "outputs/stores", *, create: bool = True) -> None:
        """Open the store in a folder, or at a PostgreSQL URL.

        Raises UserError where there is none and `create` is False; StageError where it cannot be opened.
        """
        self.database = Database(schema_of(self.name), location, create=create)
        self.evidence = EvidenceRows(self.database)
        self.table = self.database.table(ENTRIES[self.name].table)
        self.key_columns = ENTRIES[self.name].key
        self._columns = [
            column.name for column in self.table.columns if column.name in self.entry_type.__struct_fields__
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def entries(self, *, retired: bool = False, **where: str) -> Iterator[EntryT]:
        """Every entry whose columns have these values, in the order of their keys; `retired` ones too, if asked."""
        unknown = set(where) - set(self.key_columns) - {"source"}
        if unknown:
            raise UserError(f"entries of {self.name} have no {min(unknown)}", f"they have {self.key_columns}")
        query = sa.select(self.table).order_by(*(self.table.c[name] for name in self.key_columns))
        for name, value in where.items():
            query = query.where(self.table.c[name] == value)
        if not retired:
            query = query.where(self.table.c.retired == 0)
        with self.database.read() as connection:  # all at once: who looks at them one by one must hold no lock
            rows = connection.execute(query).mappings().all()
        yield from map(self._entry, rows)

    def get(self, entry_id: int) -> EntryT:
        """The entry with this number. Raises UserError where there is none."""
        with self.database.read() as connection:
            return self._entry(self._row(connection, entry_id))

    def best(self, archetype: str, **key: str) -> EntryT | None:
        """The entry of an archetype, else the one for all; None where there is neither."""
        query = sa.select(self.table).where(
            self.table.c.retired == 0,
            self.table.c.archetype.in_((archetype, ANY)),
            *(self.table.c[name] == value for name, value in key.items()),
        )
        with self.database.read() as connection:
            rows = connection.execute(query).mappings().all()
        ranked = sorted(rows, key=lambda row: (row["archetype"] == ANY, -row["confidence"], row["id"]))
        return self._entry(ranked[0]) if ranked else None

    def record_outcome(
        self, entry: int | EntryT, *, success: bool, value: Mapping[str, Any] | None = None, note: str = ""
    ) -> EntryT:
        """Tell how it went when the agent did what an entry says; gives the entry as it is afterwards.

        `value` is what was really used or needed, such as {"lines": 12}. A default that was never in the store (its
        id is None) gets into it first; a later seed of its key keeps the outcomes. Raises UserError where there is no
        such entry, or where `value` is nothing that JSON can hold.
        """
        self._check_kind(entry)
        detail = _plain({"value": dict(value or {}), "note": note})
        with self.database.write() as connection:
            number = entry if isinstance(entry, int) else entry.id or self._add(connection, entry, entry.source)
            row = self._row(connection, number, lock=True)
            before = row["own_ema"]
            if before is None:
                before = row["prior_a"] / (row["prior_a"] + row["prior_b"])
            changed = {
                "own_successes": row["own_successes"] + success,
                "own_failures": row["own_failures"] + (not success),
                "own_ema": beliefs.moved(before, success),
                "own_value": detail["value"] if value is not None else row["own_value"],
                "retired": 0,
            }
            a, b = row["prior_a"] + changed["own_successes"], row["prior_b"] + changed["own_failures"]
            changed["confidence"] = beliefs.lower_bound(a, b)
            connection.execute(sa.update(self.table).where(self.table.c.id == number).values(**changed))
            connection.execute(
                sa.insert(self.database.table("outcomes")).values(
                    uid=uuid.uuid4().hex,
                    entry_id=number,
                    at=_now(),
                    success=int(success),
                    detail=detail,
                )
            )
            return self._entry(self._row(connection, number))

    def add_own(self, entry: EntryT) -> int:
        """Keep what the agent has found out itself; gives the entry's number. One with this key stays as it is."""
        self._check_kind(entry)
        with self.database.write() as connection:
            return self._add(connection, entry, OWN)

    def bulk_import(
        self,
        repositories: Iterable[RepositoryEvidence],
        entries: Iterable[EntryT],
        *,
        source: str,
        gate: Mapping[str, Any] | None = None,
    ) -> Change:
        """Put in what was mined, all or nothing: evidence, how far it was read, and the entries that follow from it.

        `repositories` are the ones that changed, each with all of its evidence; `entries` are all seeded entries, so
        others are retired. Own entries and own outcomes stay as they are. Nothing new writes nothing.
        """
        change = Change()
        with self.database.write() as connection:
            for one in repositories:
                self.evidence.replace(connection, one, change)
            self._put_entries(connection, entries, change)
            if change:
                runs = self.database.table("runs")
                row = {
                    "at": _now(),
                    "source": source,
                    "change": msgspec.structs.asdict(change),
                    "gate": dict(gate or {}),
                }
                connection.execute(sa.insert(runs).values(**row))
        return change

    def bulk_import_evidence(self, repositories: Iterable[RepositoryEvidence]) -> Change:
        """Put in evidence alone, all or nothing; entries are to follow."""
        change = Change()
        with self.database.write() as connection:
            for one in repositories:
                self.evidence.replace(connection, one, change)
        return change

    def why(self, entry_id: int, *, evidence: int = 20) -> Why[EntryT]:
        """Where an entry comes from: up to so many pieces of evidence (newest first), and what was reported."""
        outcomes = self.database.table("outcomes")
        with self.database.read() as connection:
            entry = self._entry(self._row(connection, entry_id))
            seen = list(self.evidence.of(connection, *entry.evidence_of, archetype=entry.archetype, newest=evidence))
            reported = (
                sa.select(outcomes.c.at, outcomes.c.success, outcomes.c.detail)
                .where(outcomes.c.entry_id == entry_id)
                .order_by(outcomes.c.at.desc())
                .limit(evidence)
            )
            told = [dict(row) for row in connection.execute(reported).mappings()]
            known = {state.key: state for state in self.evidence.repositories(connection)}
        named = {one.repository for one in seen}
        return Why(entry, seen, [known[key] for key in sorted(named)], told)

    def check(self) -> list[str]:
        """What is wrong with the store, one sentence each: damage, and figures that do not follow from the rows."""
        problems = self.database.problems()
        if problems:
            return problems
        with self.database.read() as connection:
            return self.wrong_figures(connection)

    def wrong_figures(self, connection: Connection) -> list[str]:
        """Figures that do not follow from the rows, in a transaction that is open already."""
        totals = self._outcome_totals(connection)
        rows = connection.execute(sa.select(self.table)).mappings().all()
        return [f"entry {row['id']}: {problem}" for row in rows for problem in self._wrong(connection, row, totals)]

    def stats(self) -> dict[str, Any]:
        """Figures for people."""
        count = sa.func.count
        tables = {name: self.database.table(name) for name in ("repositories", "evidence", "outcomes", "runs")}
        with self.database.read() as connection:
            found: dict[str, Any] = {
                name: connection.execute(sa.select(count()).select_from(table)).scalar_one()
                for name, table in tables.items()
            }
            kinds = sa.select(self.table.c.source, self.table.c.retired, count()).group_by(
                self.table.c.source, self.table.c.retired
            )
            rows = connection.execute(kinds).all()
            last = connection.execute(
                sa.select(tables["runs"].c.at, tables["runs"].c.source).order_by(tables["runs"].c.id.desc()).limit(1)
            ).first()
        found["entries"] = sum(number for _, retired, number in rows if not retired)
        found["own entries"] = sum(number for source, retired, number in rows if source == OWN and not retired)
        found["retired entries"] = sum(number for _, retired, number in rows if retired)
        found["last seeded"] = f"{last.at} from {last.source}" if last else "never"
        return found

    def export(self, path: str | Path) -> int:
        """Write the whole store as JSON lines (stores/agent/transfer.py); gives their number."""
        from stores.agent import transfer

        return transfer.export(self, Path(path))

    def import_(self, path: str | Path) -> Any:
        """Read such a file: outcomes and own entries into any store, evidence into one that has none."""
        from stores.agent import transfer

        return transfer.import_(self, Path(path))

    def backup(self) -> Path | None:
        """Copy the store into backups/ beside it, of which the newest seven stay. None on PostgreSQL."""
        return backup.backup(self.database)

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy of the store as a SQLite file, whole or not at all."""
        backup.copy_to(self.database, target)

    def _entry(self, row: RowMapping) -> EntryT:
        fields = {name: row[name] for name in self._columns}
        own = Own(
            successes=row["own_successes"],
            failures=row["own_failures"],
            ema=row["own_ema"],
            value=row["own_value"] or None,
        )
        return self.entry_type(
            **fields,
            prior=(row["prior_a"], row["prior_b"]),
            evidence_of=(row["evidence_context"], row["evidence_option"]),
            own=own,
        )

    def key_of(self, entry: EntryT) -> tuple[str, ...]:
        """What tells an entry from others of the store."""
        return tuple(getattr(entry, name) for name in self.key_columns)

    def seeded_columns(self, entry: EntryT) -> dict[str, Any]:
        """The columns that seeding writes, but for `confidence`, which own outcomes have a say in."""
        fields = {name: getattr(entry, name) for name in self._columns if name not in ("id", "confidence")}
        a, b = entry.prior
        context, option = entry.evidence_of
        return {**fields, "prior_a": a, "prior_b": b, "evidence_context": context, "evidence_option": option}

    def _row(self, connection: Connection, entry_id: int, *, lock: bool = False) -> RowMapping:
        if not 0 < entry_id < 2**63:
            raise UserError(f"{self.name} has no entry {entry_id}", "`python -m stores list` shows them")
        query = sa.select(self.table).where(self.table.c.id == entry_id)
        row = connection.execute(query.with_for_update() if lock else query).mappings().first()
        if row is None:
            raise UserError(f"{self.name} has no entry {entry_id}", "`python -m stores list` shows them")
        return row

    def _check_kind(self, entry: int | EntryT) -> None:
        if not isinstance(entry, int | self.entry_type):
            raise UserError(
                f"{self.name} holds no {type(entry).__name__}", f"it holds {self.entry_type.__name__} entries"
            )

    def _add(self, connection: Connection, entry: EntryT, source: str) -> int:
        key = {name: getattr(entry, name) for name in self.key_columns}
        query = sa.select(self.table.c.id).where(*(self.table.c[name] == value for name, value in key.items()))
        there = connection.execute(query).scalar()
        if there is not None:
            return int(there)
        a, b = entry.prior
        seeded = _plain(self.seeded_columns(entry))
        row = {**seeded, "source": source, "confidence": beliefs.lower_bound(a, b), **_no_outcomes()}
        return new_id(connection.execute(sa.insert(self.table).values(**row)))

    def _put_entries(self, connection: Connection, entries: Iterable[EntryT], change: Change) -> None:
        key_columns = self.key_columns
        known = {
            tuple(row[name] for name in key_columns): row
            for row in connection.execute(sa.select(self.table)).mappings()
        }
        for entry in entries:
            row = self.seeded_columns(entry)
            there = known.pop(tuple(row[name] for name in key_columns), None)
            if there is None:
                row["confidence"] = beliefs.lower_bound(*entry.prior)
                connection.execute(sa.insert(self.table).values(**row, **_no_outcomes()))
                change.entries_added += 1
            elif there["source"] != OWN:
                a, b = entry.prior[0] + there["own_successes"], entry.prior[1] + there["own_failures"]
                row |= {"confidence": beliefs.lower_bound(a, b), "retired": 0}
                if any(not _same(there[name], value) for name, value in row.items()):
                    connection.execute(sa.update(self.table).where(self.table.c.id == there["id"]).values(**row))
                    change.entries_changed += 1
        for old in known.values():
            if old["source"] in UNSEEDED or old["retired"]:
                continue
            told = old["own_successes"] + old["own_failures"]
            # An agent that has reported on it relies on it: then only what the seed said goes.
            changed = self._withdrawn(old) if told else {"retired": 1}
            connection.execute(sa.update(self.table).where(self.table.c.id == old["id"]).values(**changed))
            change.entries_retired += 1

    def _withdrawn(self, row: RowMapping) -> dict[str, Any]:
        """The columns of an entry that no evidence supports any more: its own outcomes are all that counts."""
        a, b = 1.0, 1.0
        bound = beliefs.lower_bound(a + row["own_successes"], b + row["own_failures"])
        figures = {"quantiles": {}, "shares": {}, "gate": {}, "sample_count": 0, "source_repos": []}
        return {**figures, "prior_a": a, "prior_b": b, "confidence": bound, "source": WITHDRAWN}

    def _outcome_totals(self, connection: Connection) -> dict[int, tuple[int, int]]:
        outcomes = self.database.table("outcomes")
        query = sa.select(outcomes.c.entry_id, sa.func.sum(outcomes.c.success), sa.func.count()).group_by(
            outcomes.c.entry_id
        )
        return {number: (int(good), int(total) - int(good)) for number, good, total in connection.execute(query)}

    def _wrong(self, connection: Connection, row: RowMapping, totals: Mapping[int, tuple[int, int]]) -> Iterator[str]:
        good, bad = totals.get(row["id"], (0, 0))
        if (good, bad) != (row["own_successes"], row["own_failures"]):
            counted = f"{row['own_successes']} good and {row['own_failures']} bad outcomes"
            yield f"counts {counted}, but {good} and {bad} are recorded"
        bound = beliefs.lower_bound(row["prior_a"] + row["own_successes"], row["prior_b"] + row["own_failures"])
        if not math.isclose(bound, row["confidence"], abs_tol=1e-6):
            yield f"confidence is {row['confidence']:.4f}, its outcomes make {bound:.4f}"
        context = CONTEXT_TYPES.get(row["evidence_context"])
        if row["source"] in UNSEEDED or row["retired"] or context is None:
            return
        seen = self.evidence.observations(connection, context.name, row["evidence_option"], row["archetype"])
        found = collect(context, seen)
        quantiles, shares = figures(context, found, [*row["quantiles"], *row["shares"]])
        if not _same(quantiles, row["quantiles"]) or not _same(shares, row["shares"]):
            yield "its figures do not follow from its evidence"


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """The value as JSON gives it back. Raises UserError for what JSON cannot hold."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError) as error:
        raise UserError(f"this is nothing that JSON can hold: {error}", "use numbers, text, lists and dicts") from None
    plain: dict[str, Any] = json.loads(text)
    return plain


def _same(one: Any, other: Any) -> bool:
    """Equal, as far as a database keeps it: tuples are lists there."""
    return bool(msgspec.to_builtins(one) == msgspec.to_builtins(other))


def _no_outcomes() -> dict[str, Any]:
    return {"own_successes": 0, "own_failures": 0, "own_ema": None, "own_value": {}, "retired": 0}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
