"""Errors of SQLite and PostgreSQL as sentences with a hint."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import sqlalchemy as sa

from core.errors import StageError

_HINTS = (
    ("disk is full", "free some disk space; the database is unchanged"),
    ("disk I/O", "free some disk space; the database is unchanged"),
    ("malformed", "replace it with the newest file in backups/"),
    ("not a database", "replace it with the newest file in backups/"),
    ("permission denied", "connect as the role that made it; to make one, as a role that may create schemas"),
    ("locked", "another program keeps a transaction open on it"),
    ("connect", "check the URL, and that the server is running"),
    ("authentication", "check the URL, and that the server is running"),
)
"""The first phrase that an error contains decides its hint."""


@contextlib.contextmanager
def translated(location: str) -> Iterator[None]:
    """Raise StageError, naming the database, in place of errors of SQLAlchemy and its drivers."""
    try:
        yield
    except UnicodeDecodeError:  # SQLite quotes the damaged name
        raise StageError(f"{location}: a name in its schema is not UTF-8", dict(_HINTS)["malformed"]) from None
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        text = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
        hint = next((hint for phrase, hint in _HINTS if phrase in text), "")
        raise StageError(f"{location}: {text}", hint) from error
