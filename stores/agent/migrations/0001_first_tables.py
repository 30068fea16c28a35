"""The first tables. Migrations are never edited: later changes need later migrations."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

NAMES = {
    "v_vector_history": ("v_vectors", ("context_type", "archetype", "option")),
    "pattern_memory": ("patterns", ("archetype", "agent", "step", "key")),
    "failure_memory": ("failures", ("archetype", "agent", "step", "error_type", "key")),
}
STRICT = {"sqlite_strict": True}


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "repositories",
        sa.Column("id", _whole(), primary_key=True),
        sa.Column("key", _text(), nullable=False, unique=True),
        *_texts("name", "location", "archetype"),
        sa.Column("archetype_confidence", _number(), nullable=False),
        sa.Column("github_id", _whole()),
        sa.Column("licence", _text(), nullable=False),
        sa.Column("stars", _whole()),
        *_texts("head", "rules", "issues_until"),
        *_json("facts"),
        **STRICT,
    )
    op.create_table(
        "evidence",
        sa.Column("context_type", _text(), primary_key=True),
        sa.Column("option", _text(), primary_key=True),
        sa.Column("repository_id", _whole(), sa.ForeignKey("repositories.id"), primary_key=True),
        sa.Column("sha", _text(), primary_key=True),
        sa.Column("at", _whole(), nullable=False),
        *_json("outcome"),
        sa.Column("note", _text(), nullable=False),
        **STRICT,
        sqlite_with_rowid=False,
    )
    op.create_index("evidence_by_repository", "evidence", ["repository_id"])
    op.create_table(
        "runs",
        sa.Column("id", _whole(), primary_key=True),
        *_texts("at", "source"),
        *_json("change"),
        *_json("gate"),
        **STRICT,
    )
    op.create_table(
        "outcomes",
        sa.Column("uid", _text(), primary_key=True),
        sa.Column("entry_id", _whole(), nullable=False),
        sa.Column("at", _text(), nullable=False),
        *_flag("success"),
        *_json("detail"),
        **STRICT,
    )
    op.create_index("ix_outcomes_entry_id", "outcomes", ["entry_id"])
    table, key = NAMES[context.config.attributes["schema"].name]
    op.create_table(
        table,
        sa.Column("id", _whole(), primary_key=True),
        *_texts(*key),
        *_columns_of(table),
        sa.Column("confidence", _number(), nullable=False),
        sa.Column("sample_count", _whole(), nullable=False),
        *_texts("source"),
        *_json("source_repos", "array"),
        sa.Column("prior_a", _number(), nullable=False),
        sa.Column("prior_b", _number(), nullable=False),
        *_json("quantiles"),
        *_json("shares"),
        *_json("gate"),
        *_texts("evidence_context", "evidence_option"),
        sa.Column("own_successes", _whole(), nullable=False),
        sa.Column("own_failures", _whole(), nullable=False),
        sa.Column("own_ema", _number()),
        *_json("own_value"),
        *_flag("retired"),
        sa.CheckConstraint("confidence >= 0 AND confidence <= 1", name="confidence_in_range"),
        sa.CheckConstraint("prior_a > 0 AND prior_b > 0", name="prior_is_positive"),
        sa.CheckConstraint("own_successes >= 0 AND own_failures >= 0", name="own_is_counted"),
        sa.UniqueConstraint(*key, name=f"{table}_key"),
        **STRICT,
    )


def _columns_of(table: str) -> list[Any]:
    if table == "v_vectors":
        return _json("evolved_value")
    if table == "patterns":
        score = sa.CheckConstraint("quality_score >= 0 AND quality_score <= 10", name="quality_score_in_range")
        return [*_json("pattern"), sa.Column("quality_score", _number(), nullable=False), score]
    return [*_texts("description"), sa.Column("occurrence_count", _whole(), nullable=False)]


def _postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _whole() -> Any:
    return sa.BigInteger() if _postgresql() else sa.INTEGER()


def _number() -> Any:
    return sa.dialects.postgresql.DOUBLE_PRECISION() if _postgresql() else sa.REAL()


def _text() -> Any:
    return sa.Text()


def _texts(*names: str) -> list[Any]:
    return [sa.Column(name, _text(), nullable=False) for name in names]


def _json(name: str, kind: str = "object") -> list[Any]:
    if _postgresql():
        return [sa.Column(name, JSONB(), nullable=False)]
    check = f"json_valid({name}) AND json_type({name}) = '{kind}'"
    return [sa.Column(name, sa.Text(), nullable=False), sa.CheckConstraint(check, name=f"{name}_is_{kind}")]


def _flag(name: str) -> list[Any]:
    check = sa.CheckConstraint(f"{name} IN (0, 1)", name=f"{name}_is_0_or_1")
    return [sa.Column(name, _whole(), check, nullable=False)]
