"""Column types and checks that mean the same in SQLite and PostgreSQL.

SQLite tables are STRICT and check their JSON, so that neither a bug nor another program can leave values in them
that no reader understands.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec
from sqlalchemy import CheckConstraint, Column
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import BIGINT, INTEGER, REAL, TEXT, BigInteger, Float, Text, TypeDecorator, TypeEngine

from core.records.lines import DAMAGED

Whole = BigInteger().with_variant(INTEGER(), "sqlite")
Number = Float().with_variant(REAL(), "sqlite").with_variant(DOUBLE_PRECISION(), "postgresql")
Words = Text().with_variant(TEXT(), "sqlite")
Serial = BIGINT().with_variant(INTEGER(), "sqlite")
STRICT: dict[str, Any] = {"sqlite_strict": True}
"""Options of every table."""
_ENCODER = msgspec.json.Encoder(order="sorted")


class Json(TypeDecorator[Any]):
    """JSON as canonical text in SQLite, as JSONB in PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type in this database."""
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else TEXT())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """A Python value as the database takes it."""
        return value if dialect.name == "postgresql" else _ENCODER.encode(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """A stored value as Python has it."""
        if dialect.name == "postgresql" or value is None:
            return value
        try:
            return msgspec.json.decode(value)
        except DAMAGED as error:
            raise sqlite3.DatabaseError(f"malformed JSON: {error}") from None


def json_column(name: str, kind: str = "object") -> tuple[Column[Any], CheckConstraint]:
    """A column of JSON of one kind ("object" or "array"), and SQLite's check of it."""
    check = CheckConstraint(f"json_valid({name}) AND json_type({name}) = '{kind}'", name=f"{name}_is_{kind}")
    return Column(name, Json, nullable=False), check.ddl_if(dialect="sqlite")


def flag(name: str) -> Column[Any]:
    """A column of 0 or 1."""
    return Column(name, Whole, CheckConstraint(f"{name} IN (0, 1)", name=f"{name}_is_0_or_1"), nullable=False)


def between(name: str, low: float, high: float) -> CheckConstraint:
    """A check that a column stays within a range, both ends included."""
    return CheckConstraint(f"{name} >= {low} AND {name} <= {high}", name=f"{name}_in_range")
