"""The first tables. Migrations are never edited: later changes need later migrations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

STRICT = {"sqlite_strict": True}


def upgrade() -> None:
    """Create them, in SQLite: the log is a file of the cache folder."""
    op.create_table(
        "answers",
        sa.Column("id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("at", sa.REAL(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "weights", "policy", "arm")),
        sa.Column("chance", sa.REAL(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("useful", sa.INTEGER(), sa.CheckConstraint("useful IN (0, 1)", name="useful_is_0_or_1")),
        sa.Column("judged_at", sa.REAL()),
        sa.CheckConstraint("json_valid(found) AND json_type(found) = 'object'", name="found_is_object"),
        **STRICT,
    )
    op.create_index("answers_by_time", "answers", ["at"])
    op.create_index("answers_by_judgement", "answers", ["judged_at"])
    answer = sa.ForeignKey("answers.id", ondelete="CASCADE")
    op.create_table(
        "opened",
        sa.Column("answer_id", sa.Text(), answer, primary_key=True, nullable=False),
        sa.Column("place", sa.INTEGER(), primary_key=True, nullable=False),
        **STRICT,
    )
