"""A name for each request, which clients report and logs repeat."""

from __future__ import annotations

import uuid

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-request-id"


class RequestIds:
    """Puts an id into the headers of each answer, where OpenAI's clients look for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request_id = f"req_{uuid.uuid4().hex}"

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        if scope["type"] == "http":
            scope.setdefault("state", {})["request_id"] = request_id  # a defect is answered outside of this
        await self._app(scope, receive, named)
