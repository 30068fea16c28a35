"""The tables of one store, and its entries as rows.

Seeded and own knowledge share a row and never mix: seeding writes the prior and the figures that follow from evidence,
an agent's reports write the own outcomes. `confidence` is derived from both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from core.errors import UserError
from stores.agent import beliefs
from stores.agent.context_types import StoreName
from stores.agent.evidence_rows import EvidenceRows, new_id
from stores.agent.records import Entry, Own
from stores.agent.schema import ENTRIES, schema_of
from stores.engine.database import Database

EntryT = TypeVar("EntryT", bound=Entry)
OWN, WITHDRAWN = "own", "withdrawn"
UNSEEDED = (OWN, WITHDRAWN, "default")
"""Sources of entries without a seed: an agent's own, those whose evidence is gone, reported defaults."""
NO_OUTCOMES: dict[str, Any] = {"own_successes": 0, "own_failures": 0, "own_ema": None, "own_value": {}, "retired": 0}


class StoreRows(Generic[EntryT]):
    """The open database of one store."""

    name: ClassVar[StoreName]
    entry_type: type[EntryT]

    def __init__(self, location: str | Path = "outputs/stores", *, create: bool = True) -> None:
        """Open the store in a folder, or at a PostgreSQL URL.

        Raises UserError if it does not exist and `create` is False; StageError if it cannot be opened.
        """
        self.database = Database(schema_of(self.name), location, create=create)
        self.evidence = EvidenceRows(self.database)
        self.outcomes = self.database.table("outcomes")
        self.runs = self.database.table("runs")
        self.table = self.database.table(ENTRIES[self.name].table)
        self.key_columns = ENTRIES[self.name].key
        fields = self.entry_type.__struct_fields__
        self._columns = [column.name for column in self.table.columns if column.name in fields]

    def entry_of(self, row: RowMapping) -> EntryT:
        """A row as an entry."""
        own = Own(
            successes=row["own_successes"],
            failures=row["own_failures"],
            ema=row["own_ema"],
            value=row["own_value"] or None,
        )
        return self.entry_type(
            **{name: row[name] for name in self._columns},
            prior=(row["prior_a"], row["prior_b"]),
            evidence_of=(row["evidence_context"], row["evidence_option"]),
            own=own,
        )

    def key_of(self, entry: EntryT) -> tuple[str, ...]:
        """The values that identify an entry, in the order of `key_columns`."""
        return tuple(getattr(entry, name) for name in self.key_columns)

    def seeded_columns(self, entry: EntryT) -> dict[str, Any]:
        """The columns that seeding writes, except `confidence`, which depends on own outcomes too."""
        fields = {name: getattr(entry, name) for name in self._columns if name not in ("id", "confidence")}
        a, b = entry.prior
        context, option = entry.evidence_of
        return {**fields, "prior_a": a, "prior_b": b, "evidence_context": context, "evidence_option": option}

    def row(self, connection: Connection, entry_id: int, *, lock: bool = False) -> RowMapping:
        """The row of an entry, locked against other writers if asked. Raises UserError if there is none."""
        missing = UserError(f"{self.name} has no entry {entry_id}", "`python -m stores list` shows them")
        if not 0 < entry_id < 2**63:
            raise missing
        query = sa.select(self.table).where(self.table.c.id == entry_id)
        row = connection.execute(query.with_for_update() if lock else query).mappings().first()
        if row is None:
            raise missing
        return row

    def id_of(self, connection: Connection, key: Iterable[str]) -> int | None:
        """The id of the entry with this key; None if there is none."""
        conditions = (self.table.c[name] == value for name, value in zip(self.key_columns, key, strict=True))
        found = connection.execute(sa.select(self.table.c.id).where(*conditions)).scalar()
        return None if found is None else int(found)

    def add(self, connection: Connection, entry: EntryT, source: str) -> int:
        """Insert an entry without outcomes; returns its id. An entry that has its key already stays as it is."""
        found = self.id_of(connection, self.key_of(entry))
        if found is not None:
            return found
        row = {**plain(self.seeded_columns(entry)), "source": source, "confidence": beliefs.lower_bound(*entry.prior)}
        return new_id(connection.execute(sa.insert(self.table).values(**row, **NO_OUTCOMES)))


def confidence_of(row: Mapping[Any, Any]) -> float:
    """The lower bound of an entry's posterior: its prior, and its own outcomes."""
    return beliefs.lower_bound(row["prior_a"] + row["own_successes"], row["prior_b"] + row["own_failures"])


def with_outcomes(row: Mapping[Any, Any], outcomes: Iterable[tuple[bool, Any]]) -> dict[str, Any]:
    """The columns of an entry that change after further outcomes: (success, reported value or nothing) each."""
    ema, value = row["own_ema"], row["own_value"]
    counts = {"own_successes": row["own_successes"], "own_failures": row["own_failures"]}
    if ema is None:
        ema = row["prior_a"] / (row["prior_a"] + row["prior_b"])
    for success, reported in outcomes:
        ema = beliefs.next_ema(ema, success)
        counts["own_successes" if success else "own_failures"] += 1
        value = reported or value
    return {**counts, "own_ema": ema, "own_value": value, "confidence": confidence_of({**row, **counts}), "retired": 0}


def plain(value: dict[str, Any]) -> dict[str, Any]:
    """The value as JSON returns it. Raises UserError if JSON cannot represent it."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError) as error:
        raise UserError(f"value is not JSON-serialisable: {error}", "use numbers, text, lists and dicts") from None
    result: dict[str, Any] = json.loads(text)
    return result


def same(one: Any, other: Any) -> bool:
    """True if a database does not distinguish the two: it stores tuples as lists."""
    return bool(msgspec.to_builtins(one) == msgspec.to_builtins(other))
