"""Locks between processes: writers of one database queue up, and named locks have one holder at a time.

SQLite gets files next to the database, PostgreSQL advisory locks. An advisory lock has two numbers: what it is for, and
one derived from a name, so that databases which share a server never wait for each other.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.engine import Connection

from core.errors import AlreadyRunningError

PATIENCE_S = 1.0
"""How long an exclusive file lock is tried for before it is refused."""
_EXCLUSIVE, _WRITING = 0x67697430, 0x67697431


@contextlib.contextmanager
def queue_for_file(path: Path) -> Iterator[None]:
    """Wait for a lock file. The kernel serves those who wait in turn, and frees the lock when its holder dies."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file releases the lock


def queue_for_schema(connection: Connection, name: str) -> None:
    """Wait until no other transaction writes to this PostgreSQL schema; the lock ends with the transaction."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITING, _number(name))))


@contextlib.contextmanager
def exclusive_file(path: Path, refusal: AlreadyRunningError) -> Iterator[None]:
    """Hold a lock file. Raises `refusal` where somebody else does."""
    try:
        held = FileLock(path).acquire(timeout=PATIENCE_S)
    except Timeout:
        raise refusal from None
    with held:
        yield


@contextlib.contextmanager
def exclusive_session(connection: Connection, name: str, refusal: AlreadyRunningError) -> Iterator[None]:
    """Hold a named lock of a PostgreSQL database for as long as this connection. Raises `refusal` where it is taken."""
    numbers = _EXCLUSIVE, _number(name)
    held = connection.execution_options(isolation_level="AUTOCOMMIT")  # keeps no transaction open meanwhile
    if not held.execute(sa.select(sa.func.pg_try_advisory_lock(*numbers))).scalar_one():
        raise refusal
    try:
        yield
    finally:
        held.execute(sa.select(sa.func.pg_advisory_unlock(*numbers)))


def _number(name: str) -> int:
    """31 bits of a name: PostgreSQL's integers are signed."""
    return crc32(name.encode()) & 0x7FFFFFFF
