"""Which repositories a service studies in the background, and by which kinds."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Nothing is studied in the background until somebody asks for it."""
    whole = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    check = "CONSTRAINT background_is_0_or_1 CHECK (background IN (0, 1))"
    op.execute(f"ALTER TABLE repositories ADD COLUMN background {whole} NOT NULL DEFAULT 0 {check}")
    op.execute("ALTER TABLE repositories ADD COLUMN kinds TEXT NOT NULL DEFAULT ''")
