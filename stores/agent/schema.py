"""The tables of the three stores, once for SQLite and PostgreSQL.

Each store has its own database: the shared tables, and a table of its entries. `migrations/` creates the tables; a
test checks that it creates exactly these.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, MetaData, Table, UniqueConstraint

from stores.agent.context_types import StoreName
from stores.engine.columns import STRICT, Number, Serial, Whole, Words, between, flag, json_column
from stores.engine.schema import Schema

REVISION = 1
"""Number of the last migration."""

shared = MetaData()
repositories = Table(
    "repositories",
    shared,
    Column("id", Serial, primary_key=True),
    Column("key", Words, nullable=False, unique=True),
    Column("name", Words, nullable=False),
    Column("location", Words, nullable=False),
    Column("archetype", Words, nullable=False),
    Column("archetype_confidence", Number, nullable=False),
    Column("github_id", Whole),
    Column("licence", Words, nullable=False),
    Column("stars", Whole),
    Column("head", Words, nullable=False),
    Column("rules", Words, nullable=False),
    Column("issues_until", Words, nullable=False),
    *json_column("facts"),
    **STRICT,
)
evidence = Table(
    "evidence",
    shared,
    Column("context_type", Words, primary_key=True),
    Column("option", Words, primary_key=True),
    Column("repository_id", Serial, ForeignKey("repositories.id"), primary_key=True),
    Column("sha", Words, primary_key=True),
    Column("at", Whole, nullable=False),
    *json_column("outcome"),
    Column("note", Words, nullable=False),
    Index("evidence_by_repository", "repository_id"),
    **STRICT,
    sqlite_with_rowid=False,
)
runs = Table(
    "runs",
    shared,
    Column("id", Serial, primary_key=True),
    Column("at", Words, nullable=False),
    Column("source", Words, nullable=False),
    *json_column("change"),
    *json_column("gate"),
    **STRICT,
)
outcomes = Table(
    "outcomes",
    shared,
    Column("uid", Words, primary_key=True),
    Column("entry_id", Serial, nullable=False, index=True),
    Column("at", Words, nullable=False),
    flag("success"),
    *json_column("detail"),
    **STRICT,
)


class Entries(NamedTuple):
    """The table of a store's entries."""

    table: str
    key: tuple[str, ...]
    """The columns that identify an entry."""


ENTRIES: dict[StoreName, Entries] = {
    "v_vector_history": Entries("v_vectors", ("context_type", "archetype", "option")),
    "pattern_memory": Entries("patterns", ("archetype", "agent", "step", "key")),
    "failure_memory": Entries("failures", ("archetype", "agent", "step", "error_type", "key")),
}


@cache
def schema_of(store: StoreName) -> Schema:
    """The schema of a store's database."""
    metadata = MetaData()
    for table in shared.tables.values():
        table.to_metadata(metadata)
    _entries(metadata, *ENTRIES[store])
    return Schema(
        name=store,
        metadata=metadata,
        migrations=Path(__file__).with_name("migrations"),
        revision=REVISION,
        created_by="run the pipeline, or scripts/pretrain_from_github.py",
    )


def _entries(metadata: MetaData, table: str, key: tuple[str, ...]) -> Table:
    return Table(
        table,
        metadata,
        Column("id", Serial, primary_key=True),
        *(Column(name, Words, nullable=False) for name in key),
        *_content(table),
        Column("confidence", Number, nullable=False),
        Column("sample_count", Whole, nullable=False),
        Column("source", Words, nullable=False),
        *json_column("source_repos", "array"),
        Column("prior_a", Number, nullable=False),
        Column("prior_b", Number, nullable=False),
        *json_column("quantiles"),
        *json_column("shares"),
        *json_column("gate"),
        Column("evidence_context", Words, nullable=False),
        Column("evidence_option", Words, nullable=False),
        Column("own_successes", Whole, nullable=False),
        Column("own_failures", Whole, nullable=False),
        Column("own_ema", Number),
        *json_column("own_value"),
        flag("retired"),
        between("confidence", 0, 1),
        CheckConstraint("prior_a > 0 AND prior_b > 0", name="prior_is_positive"),
        CheckConstraint("own_successes >= 0 AND own_failures >= 0", name="own_is_counted"),
        UniqueConstraint(*key, name=f"{table}_key"),
        **STRICT,
    )


def _content(table: str) -> list[Any]:
    """The columns that only this kind of entry has."""
    if table == "v_vectors":
        return [*json_column("evolved_value")]
    if table == "patterns":
        return [
            *json_column("pattern"),
            Column("quality_score", Number, nullable=False),
            between("quality_score", 0, 10),
        ]
    return [Column("description", Words, nullable=False), Column("occurrence_count", Whole, nullable=False)]
