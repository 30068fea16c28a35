"""A database that is not one of the stores: notes, with its own migration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from stores.engine.columns import STRICT, Number, Serial, Words, between, flag, json_column
from stores.engine.schema import Schema

FIRST = """
from alembic import context, op
revision, down_revision = "0001", None
def upgrade():
    context.config.attributes["schema"].metadata.create_all(op.get_bind())
"""


@pytest.fixture
def notes(tmp_path: Path) -> Schema:
    """A schema with one table."""
    metadata = sa.MetaData()
    sa.Table(
        "notes",
        metadata,
        sa.Column("id", Serial, primary_key=True),
        sa.Column("text", Words, nullable=False),
        sa.Column("weight", Number, nullable=False),
        flag("done"),
        *json_column("detail"),
        between("weight", 0, 1),
        **STRICT,
    )
    folder = tmp_path / "migrations: 50%, of notes"
    folder.mkdir()
    (folder / "0001_notes.py").write_text(FIRST)
    return Schema("notes", metadata, folder, revision=1, created_by="write a note first")


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where databases can be opened: a folder, or a server without any."""
    if request.param == "sqlite":
        yield str(tmp_path / "databases")
        return
    import psycopg

    url = request.getfixturevalue("postgresql")
    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA IF EXISTS notes, notes_of_others CASCADE")
    yield url
