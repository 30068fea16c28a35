"""When insights were marked, what comes first, when kinds were asked, one switch for all, and what was reported."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB

revision = "0002"
down_revision = "0001"

STRICT = {"sqlite_strict": True}


def upgrade() -> None:
    """Add them."""
    op.add_column("insights", sa.Column("marked_at", _float(), nullable=True))
    op.add_column("jobs", sa.Column("boost", _float(), nullable=False, server_default="0"))
    op.execute("ALTER TABLE triggers RENAME COLUMN next_at TO asked_at")
    op.execute("UPDATE triggers SET asked_at = asked_at - 604800 WHERE asked_at > 0")  # all came every week
    op.create_table(
        "switches", sa.Column("name", sa.Text(), primary_key=True, nullable=False),
        sa.Column("is_on", _integer(), sa.CheckConstraint("is_on IN (0, 1)", name="is_on_is_0_or_1"), nullable=False),
        sa.Column("at", _float(), nullable=False), **STRICT,
    )  # fmt: skip
    op.create_table(
        "reports", sa.Column("id", _integer(), primary_key=True),
        sa.Column("repository", sa.Text(), sa.ForeignKey("repositories.key"), nullable=False),
        sa.Column("at", _float(), nullable=False), *_list("held"), **STRICT,
    )  # fmt: skip
    op.create_index("reports_by_repository", "reports", ["repository", "at"])


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _integer() -> Any:
    return sa.BigInteger() if _is_postgresql() else sa.INTEGER()


def _float() -> Any:
    return DOUBLE_PRECISION() if _is_postgresql() else sa.REAL()


def _list(name: str) -> list[Any]:
    if _is_postgresql():
        return [sa.Column(name, JSONB(), nullable=False)]
    check = f"json_valid({name}) AND json_type({name}) = 'array'"
    return [sa.Column(name, sa.Text(), nullable=False), sa.CheckConstraint(check, name=f"{name}_is_array")]
