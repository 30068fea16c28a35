"""Merging seeded entries into a store: adding, updating, retiring, and leaving an agent's own alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from stores.agent import beliefs
from stores.agent.records import StoreChange
from stores.agent.rows import NO_OUTCOMES, OWN, UNSEEDED, WITHDRAWN, EntryT, StoreRows, confidence_of, same


def merge_entries(
    store: StoreRows[EntryT], connection: Connection, entries: Iterable[EntryT], change: StoreChange
) -> None:
    """Make `entries` the store's seeded entries, and count in `change` what that took.

    Own entries and own outcomes stay. Seeded entries that are not among `entries` retire, or are withdrawn.
    """
    rows = connection.execute(sa.select(store.table)).mappings()
    known = {tuple(row[name] for name in store.key_columns): row for row in rows}
    for entry in entries:
        columns = store.seeded_columns(entry)
        old = known.pop(store.key_of(entry), None)
        if old is None:
            columns["confidence"] = beliefs.lower_bound(*entry.prior)
            connection.execute(sa.insert(store.table).values(**columns, **NO_OUTCOMES))
            change.entries_added += 1
        elif old["source"] != OWN:
            columns |= {"confidence": confidence_of({**old, **columns}), "retired": 0}
            if any(not same(old[name], value) for name, value in columns.items()):
                _update(store, connection, old, columns)
                change.entries_changed += 1
    for old in known.values():
        if old["source"] not in UNSEEDED and not old["retired"]:
            # An agent that has reported on an entry relies on it: then only what the seed contributed goes.
            reported = old["own_successes"] + old["own_failures"]
            _update(store, connection, old, _withdrawn(old) if reported else {"retired": 1})
            change.entries_retired += 1


def _update(store: StoreRows[Any], connection: Connection, old: RowMapping, columns: dict[str, Any]) -> None:
    connection.execute(sa.update(store.table).where(store.table.c.id == old["id"]).values(**columns))


def _withdrawn(row: RowMapping) -> dict[str, Any]:
    """The columns of an entry that has only its own outcomes left."""
    prior = {"prior_a": 1.0, "prior_b": 1.0}
    figures = {"quantiles": {}, "shares": {}, "gate": {}, "sample_count": 0, "source_repos": []}
    return {**figures, **prior, "confidence": confidence_of({**row, **prior}), "source": WITHDRAWN}
