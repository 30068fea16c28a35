"""What a request may cost."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.http.errors import error_response


@dataclass(frozen=True)
class Limits:
    """Bounds of one request, and of how many wait."""

    body_bytes: int = 1_000_000
    waiting: int = 16
    seconds: float = 120.0
    body_seconds: float = 10.0
    """Between two parts of a body."""
    whole_body_seconds: float = 60.0


STREAMED = ("/adapters",)
"""Paths whose bodies are read part by part, by `services/http/uploads`, with a limit of their own."""


class BodyLimit:
    """Refuses bodies that are too long or too slow.

    A body that is too long is still read, up to a point and without keeping it: a client that is cut off while it
    sends may never read why.
    """

    _READ_ON = 16
    """How many times the limit is read and thrown away."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._most, self._limits = app, limits.body_bytes, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        has_body = scope["type"] == "http" and scope["method"] in ("POST", "PUT", "PATCH")
        if not has_body or scope["path"] in STREAMED:
            await self._app(scope, receive, send)
            return
        kept, size, more = bytearray(), 0, True
        deadline = time.monotonic() + self._limits.whole_body_seconds
        while more and size <= self._READ_ON * self._most:
            try:
                left = min(self._limits.body_seconds, deadline - time.monotonic())
                message = await asyncio.wait_for(receive(), left)
            except TimeoutError:
                await self._refuse(408, "the body did not arrive in time", scope, receive, send)
                return
            if message["type"] == "http.disconnect":
                return
            part, more = message.get("body", b""), message.get("more_body", False)
            size += len(part)
            if size <= self._most:
                kept += part
        if size > self._most:
            await self._refuse(413, f"the body is longer than {self._most:,} bytes", scope, receive, send)
            return
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": bytes(kept), "more_body": False}

        await self._app(scope, replay, send)

    @staticmethod
    async def _refuse(status: int, why: str, scope: Scope, receive: Receive, send: Send) -> None:
        answer = error_response(status, why, scope)
        answer.headers["Connection"] = "close"
        await answer(scope, receive, send)
