"""Cursors: places in a list that clients give back as they got them, and cannot make themselves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from patterns.memory.refusals import RefusedOperationError

_SIGNATURE = 16
"""Bytes."""


class Cursors:
    """Signs places with a secret of the database's, each for one list of one team."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def write(self, place: Sequence[Any], about: Sequence[str]) -> str:
        """A place in the list that `about` names."""
        text = json.dumps(list(place)).encode()
        return base64.urlsafe_b64encode(self._signature(text, about) + text).decode().rstrip("=")

    def read(self, cursor: str, about: Sequence[str]) -> list[Any]:
        """The place. Raises RefusedOperationError for what this database has not written about this list."""
        try:
            given = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError:
            given = b""
        signature, text = given[:_SIGNATURE], given[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._signature(text, about)):
            raise RefusedOperationError("invalid_cursor", "this is no cursor of this list", "start without a cursor")
        place: list[Any] = json.loads(text)
        return place

    def _signature(self, text: bytes, about: Sequence[str]) -> bytes:
        return hmac.digest(self._secret, json.dumps(list(about)).encode() + b"\n" + text, hashlib.sha256)[:_SIGNATURE]
