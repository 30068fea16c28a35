"""The tables of the log of use. Times are seconds since 1970.

`migrations/` creates them; a test checks that it creates exactly these.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, MetaData, Table

from stores.engine.columns import STRICT, Number, Whole, Words, json_column
from stores.engine.schema import Schema

metadata = MetaData()

Table(
    "answers",
    metadata,
    Column("id", Words, primary_key=True, nullable=False),
    Column("at", Number, nullable=False),
    *(Column(name, Words, nullable=False) for name in ("kind", "weights", "policy", "arm")),
    Column("chance", Number, nullable=False),
    *json_column("found"),
    Column("useful", Whole, CheckConstraint("useful IN (0, 1)", name="useful_is_0_or_1")),
    Column("judged_at", Number),
    Index("answers_by_time", "at"),
    Index("answers_by_judgement", "judged_at"),
    **STRICT,
)
Table(
    "opened",
    metadata,
    Column("answer_id", Words, ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("place", Whole, primary_key=True, nullable=False),
    **STRICT,
)

SCHEMA = Schema(
    name="use",
    metadata=metadata,
    migrations=Path(__file__).with_name("migrations"),
    revision=1,
    created_by="ask a served repository: python serve.py --repo PATH",
)
