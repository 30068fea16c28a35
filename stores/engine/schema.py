"""What a kind of database consists of. The rest of this room takes it as an argument and knows no table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData


@dataclass(frozen=True)
class Schema:
    """The tables of a database, and the migrations that create them."""

    name: str
    """Name of the SQLite file, without .db, and of the schema in PostgreSQL; locks are named after it too."""
    metadata: MetaData
    migrations: Path
    """Folder of Alembic's scripts. They find this schema in `context.config.attributes["schema"]`."""
    revision: int
    """Number of the last script, from 1."""
    created_by: str = ""
    """What creates such a database: the hint shown where there is none."""
