"""Keys that clients give to requests, so that what is sent twice is done once."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy.engine import Connection

from patterns.memory.identity import now
from patterns.memory.refusals import RefusedOperationError
from patterns.memory.scope import Scope

KEPT_S = 86_400.0
"""How long a key names what was done with it."""


def known(scope: Scope, connection: Connection, key: str, said: dict[str, Any]) -> dict[str, Any] | None:
    """What was kept when the member said the same with this key; None where they have not, or gave no key.

    Raises RefusedOperationError where they said something else with it.
    """
    row = scope.row(connection, "idempotency", member=scope.identity.member, key=key) if key else None
    if row is None or row["expires_at"] <= now():
        return None
    if row["request_sha256"] != _digest(said):
        raise RefusedOperationError("key_reused", f"{key} has named another request", "give each a new key")
    return dict(row["answer"])


def remember(scope: Scope, connection: Connection, key: str, said: dict[str, Any], answer: dict[str, Any]) -> None:
    """Keep an answer under a key, if there is one."""
    if key:
        mine = {"member": scope.identity.member, "key": key}
        scope.delete(connection, "idempotency", **mine)
        kept = {"request_sha256": _digest(said), "answer": answer, "expires_at": now(-KEPT_S)}
        scope.insert(connection, "idempotency", {**mine, **kept})


def _digest(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
