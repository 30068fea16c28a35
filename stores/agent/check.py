"""Checking a store: every figure must follow from the evidence and the outcomes it was computed from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from stores.agent.context_types import CONTEXT_TYPES
from stores.agent.rows import UNSEEDED, StoreRows, confidence_of, same
from stores.agent.summary import collect, figures


def wrong_figures(store: StoreRows[Any], connection: Connection) -> list[str]:
    """Figures that do not follow from the rows, one sentence each."""
    counted = _counted_outcomes(store, connection)
    rows = connection.execute(sa.select(store.table)).mappings().all()
    return [
        f"entry {row['id']}: {problem}"
        for row in rows
        for problem in (
            *_wrong_own(row, *counted.get(row["id"], (0, 0))),
            *_wrong_seeded(store, connection, row),
        )
    ]


def _counted_outcomes(store: StoreRows[Any], connection: Connection) -> dict[int, tuple[int, int]]:
    """(successes, failures) recorded for each entry."""
    table = store.outcomes
    query = sa.select(table.c.entry_id, sa.func.sum(table.c.success), sa.func.count()).group_by(table.c.entry_id)
    return {entry: (int(good), int(total) - int(good)) for entry, good, total in connection.execute(query)}


def _wrong_own(row: RowMapping, good: int, bad: int) -> Iterator[str]:
    if (good, bad) != (row["own_successes"], row["own_failures"]):
        held = f"{row['own_successes']} good and {row['own_failures']} bad outcomes"
        yield f"counts {held}, but {good} and {bad} are recorded"
    bound = confidence_of(row)
    if not math.isclose(bound, row["confidence"], abs_tol=1e-6):
        yield f"confidence is {row['confidence']:.4f}, but prior and outcomes give {bound:.4f}"


def _wrong_seeded(store: StoreRows[Any], connection: Connection, row: RowMapping) -> Iterator[str]:
    context = CONTEXT_TYPES.get(row["evidence_context"])
    if row["source"] in UNSEEDED or row["retired"] or context is None:
        return
    seen = store.evidence.observations(connection, context.name, row["evidence_option"], row["archetype"])
    quantiles, shares = figures(context, collect(context, seen), [*row["quantiles"], *row["shares"]])
    if not same(quantiles, row["quantiles"]) or not same(shares, row["shares"]):
        yield "its figures do not follow from its evidence"
