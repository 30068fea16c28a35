"""The tables, once, for SQLite and PostgreSQL. A store's database has all but the entries of the other two.

SQLite tables are STRICT and check their JSON, so that a bug, or another program, cannot leave something in them
that no reader understands. `migrations/` makes the tables; a test sees that it makes just these.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import BIGINT, INTEGER, REAL, TEXT, BigInteger, Float, Text, TypeDecorator, TypeEngine

Whole = BigInteger().with_variant(INTEGER(), "sqlite")
Number = Float().with_variant(REAL(), "sqlite").with_variant(DOUBLE_PRECISION(), "postgresql")
Words = Text().with_variant(TEXT(), "sqlite")
Serial = BIGINT().with_variant(INTEGER(), "sqlite")


_ENCODER = msgspec.json.Encoder(order="sorted")


class Json(TypeDecorator[Any]):
    """JSON as canonical text in SQLite, as JSONB in PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """JSONB where there is such a thing."""
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else TEXT())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The value as the database takes it."""
        if dialect.name == "postgresql":
            return value
        return _ENCODER.encode(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """What the database gives, as Python has it."""
        return value if dialect.name == "postgresql" or value is None else msgspec.json.decode(value)


def _json(name: str, kind: str) -> tuple[Column[Any], CheckConstraint]:
    """A column of JSON objects or arrays."""
    check = CheckConstraint(f"json_valid({name}) AND json_type({name}) = '{kind}'", name=f"{name}_is_{kind}")
    return Column(name, Json, nullable=False), check.ddl_if(dialect="sqlite")


def _between(name: str, low: float, high: float) -> CheckConstraint:
    return CheckConstraint(f"{name} >= {low} AND {name} <= {high}", name=f"{name}_in_range")


shared = MetaData()
STRICT: dict[str, Any] = {"sqlite_strict": True}
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
    *_json("facts", "object"),
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
    *_json("outcome", "object"),
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
    *_json("change", "object"),
    *_json("gate", "object"),
    **STRICT,
)
outcomes = Table(
    "outcomes",
    shared,
    Column("uid", Words, primary_key=True),
    Column("entry_id", Serial, nullable=False, index=True),
    Column("at", Words, nullable=False),
    Column("success", Whole, CheckConstraint("success IN (0, 1)", name="success_is_0_or_1"), nullable=False),
    *_json("detail", "object"),
    **STRICT,
)
STORES: dict[str, tuple[str, tuple[str, ...]]] = {
    "v_vector_history": ("v_vectors", ("context_type", "archetype", "option")),
    "pattern_memory": ("patterns", ("archetype", "agent", "step", "key")),
    "failure_memory": ("failures", ("archetype", "agent", "step", "error_type", "key")),
}
"""The databases: the table of its entries, and the columns that tell them apart."""


def _own_columns(table: str) -> list[Any]:
    if table == "v_vectors":
        return [*_json("evolved_value", "object")]
    if table == "patterns":
        return [
            *_json("pattern", "object"),
            Column("quality_score", Number, nullable=False),
            _between("quality_score", 0, 10),
        ]
    return [Column("description", Words, nullable=False), Column("occurrence_count", Whole, nullable=False)]


def _entries(metadata: MetaData, table: str, key: tuple[str, ...]) -> Table:
    return Table(
        table,
        metadata,
        Column("id", Serial, primary_key=True),
        *(Column(name, Words, nullable=False) for name in key),
        *_own_columns(table),
        Column("confidence", Number, nullable=False),
        Column("sample_count", Whole, nullable=False),
        Column("source", Words, nullable=False),
        *_json("source_repos", "array"),
        Column("prior_a", Number, nullable=False),
        Column("prior_b", Number, nullable=False),
        *_json("quantiles", "object"),
        *_json("shares", "object"),
        *_json("gate", "object"),
        Column("evidence_context", Words, nullable=False),
        Column("evidence_option", Words, nullable=False),
        Column("own_successes", Whole, nullable=False),
        Column("own_failures", Whole, nullable=False),
        Column("own_ema", Number),
        *_json("own_value", "object"),
        Column("retired", Whole, CheckConstraint("retired IN (0, 1)", name="retired_is_0_or_1"), nullable=False),
        _between("confidence", 0, 1),
        CheckConstraint("prior_a > 0 AND prior_b > 0", name="prior_is_positive"),
        CheckConstraint("own_successes >= 0 AND own_failures >= 0", name="own_is_counted"),
        UniqueConstraint(*key, name=f"{table}_key"),
        **STRICT,
    )


def metadata_of(store: str) -> MetaData:
    """The tables of one database."""
    metadata = MetaData()
    for table in shared.tables.values():
        table.to_metadata(metadata)
    _entries(metadata, *STORES[store])
    return metadata
