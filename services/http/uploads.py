"""A body that is read part by part, while somebody works on it: never as a whole in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import anyio.from_thread
from starlette.requests import ClientDisconnect, Request

from services.http.errors import RefusedError

PART_S = 10.0
"""Between two parts."""
WHOLE_S = 3600.0
_CLOSED = {"Connection": "close"}
"""For an answer that does not wait for the rest of a body."""


class Upload:
    """The body of a request. Parts are read in a thread of the pool, one at a time, when they are asked for."""

    def __init__(self, request: Request, most_bytes: int) -> None:
        """Raises RefusedError where it is said to be too long, before any of it is read."""
        self._receive, self._left, self._most = request.receive, most_bytes, most_bytes
        self._deadline = time.monotonic() + WHOLE_S
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most_bytes:
            raise self._too_long()

    def parts(self) -> Iterator[bytes]:
        """What comes. Raises RefusedError where it is too long or too slow, ClientDisconnect where it breaks off."""
        more = True
        while more:
            part, more = anyio.from_thread.run(self._next)
            self._left -= len(part)
            if self._left < 0:
                raise self._too_long()
            yield part

    async def _next(self) -> tuple[bytes, bool]:
        try:
            message = await asyncio.wait_for(self._receive(), min(PART_S, self._deadline - time.monotonic()))
        except TimeoutError:
            raise RefusedError(408, "the body did not arrive in time", headers=_CLOSED) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        return message.get("body", b""), message.get("more_body", False)

    def _too_long(self) -> RefusedError:
        return RefusedError(413, f"the body is longer than {self._most:,} bytes", code="too_large", headers=_CLOSED)
