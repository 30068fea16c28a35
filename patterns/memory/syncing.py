"""Delivering what was done here, and reading what others did: interrupted anywhere, it goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.engine import Connection

from core.errors import StageError
from patterns.memory.local import LocalMemory
from patterns.memory.operations import Operation
from patterns.memory.outbox import Waiting
from patterns.memory.refusals import RefusedOperationError

AT_ONCE = 100
MOST_BYTES = 800_000
"""Of a body; servers take a million unless they are set otherwise."""
ROWS = 500


class Server(Protocol):
    """What is asked of a server; `Remote` does it over HTTP."""

    url: str

    def whoami(self) -> dict[str, Any]:
        """Who the key says one is."""

    def push(self, operations: list[Operation]) -> list[dict[str, Any]]:
        """What became of operations."""

    def pull(self, cursor: str, limit: int) -> dict[str, Any]:
        """What has changed."""


@dataclass
class Done:
    """What a push or a pull has done."""

    delivered: int = 0
    refused: list[str] = field(default_factory=list)
    """Why, a sentence each."""
    read: int = 0
    removed: int = 0
    """Patterns that the server no longer has."""
    was_full: bool = False
    """Everything was read again, since deletions were no longer known."""


@contextmanager
def _understood(server: Server) -> Iterator[None]:
    """Raise StageError where a server's answer lacks what it must have."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StageError(f"{server.url} does not answer as a team's server does: {error!r}", "update it") from error


def push(local: LocalMemory, server: Server) -> Done:
    """Deliver the outbox in order. An operation leaves it once the server has answered, in one write with its row."""
    done = Done()
    _meet(local, server)
    while waiting := _next(local):
        results = server.push([one.operation for one in waiting])
        with _understood(server), local.memory.database.write() as connection:
            local.outbox.delivered(connection, [one["uid"] for one in results])
            rows = {row["id"]: row for one in results if (row := one["pattern"])}
            local.take(connection, list(rows.values()))
        done.delivered += len(results)
        done.refused += [one["message"] for one in results if one["status"] == "refused"]
    return done


def pull(local: LocalMemory, server: Server) -> Done:
    """Read what has changed. The cursor is kept in one write with the rows."""
    done = Done()
    _meet(local, server)
    with local.memory.database.read() as connection:
        state = local.outbox.state(connection, server.url)
    cursor = str(state["cursor"]) if state else ""
    try:
        _read(local, server, cursor, done)
    except RefusedOperationError as refused:
        if refused.code != "cursor_expired":
            raise
        _read_all(local, server, done)
    return done


def sync(local: LocalMemory, server: Server) -> Done:
    """Push, then pull."""
    pushed, pulled = push(local, server), pull(local, server)
    pulled.delivered, pulled.refused = pushed.delivered, pushed.refused
    return pulled


def _meet(local: LocalMemory, server: Server) -> None:
    whoami = server.whoami()
    with _understood(server), local.memory.database.write() as connection:
        local.become(connection, server.url, whoami)


def _next(local: LocalMemory) -> list[Waiting]:
    """The next operations that fit into a body."""
    with local.memory.database.write() as connection:
        found, size = list[Waiting](), 0
        for one in local.outbox.first(connection, AT_ONCE):
            size += len(one.operation.model_dump_json().encode())
            if found and size > MOST_BYTES:
                break
            found.append(one)
        local.outbox.tried(connection, [one.operation.uid for one in found])
    return found


def _read(local: LocalMemory, server: Server, cursor: str, done: Done) -> None:
    more = True
    while more:
        news = server.pull(cursor, ROWS)
        with _understood(server):
            cursor, more = str(news["cursor"]), bool(news["more"])
        with _understood(server), local.memory.database.write() as connection:
            _take(local, connection, news, done)
            local.outbox.remember(connection, server.url, {"cursor": cursor})


def _read_all(local: LocalMemory, server: Server, done: Done) -> None:
    """Read everything, and delete what is not among it. The cursor is kept at the end: one who dies begins again."""
    seen, cursor, more = set[str](), "", True
    done.was_full = True
    while more:
        news = server.pull(cursor, ROWS)
        with _understood(server):
            cursor, more = str(news["cursor"]), bool(news["more"])
            seen |= {row["id"] for row in news["patterns"]}
        with _understood(server), local.memory.database.write() as connection:
            _take(local, connection, news, done)
            if not more:
                done.removed = local.keep_only(connection, seen)
                local.outbox.remember(connection, server.url, {"cursor": cursor})


def _take(local: LocalMemory, connection: Connection, news: dict[str, Any], done: Done) -> None:
    local.take(connection, news["patterns"])
    local.take_conventions(connection, news["templates"])
    done.read += len(news["patterns"])
