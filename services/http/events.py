"""Answers as they are sent: whole, or as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Protocol

from fastapi import Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from core.logs import log
from services.answers import AnswerPart, AnyWork
from services.http.errors import refusal_of
from services.queue import Queues

STREAMED: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
"""For the description of a route that answers with events where it is asked to."""


class Wire(Protocol):
    """How the parts of an answer look to clients of one kind."""

    def whole(self, parts: list[AnswerPart]) -> dict[str, Any]:
        """All in one."""
        ...

    def stream(self, parts: AsyncIterator[AnswerPart]) -> AsyncIterator[str]:
        """Events."""
        ...

    def failure(self, error: Mapping[str, str | None]) -> str:
        """The event of an error, after which a stream ends."""
        return event({"error": error})


async def answered(queues: Queues, work: AnyWork, wire: Wire, request: Request, *, stream: bool | None) -> Response:
    """An answer, whole or as events. An error before the first part keeps its own status."""
    if not stream:
        return JSONResponse(wire.whole(await queues.all(work, request.is_disconnected)))
    parts = queues.parts(work, request.is_disconnected)
    try:
        first = await anext(parts, None)
    except BaseException:
        await parts.aclose()
        raise

    async def lines() -> AsyncIterator[str]:
        async def again() -> AsyncIterator[AnswerPart]:
            if first is not None:
                yield first
            async for part in parts:
                yield part

        async with aclosing(parts):
            try:
                async for line in wire.stream(again()):
                    yield line
            except Exception as error:  # noqa: BLE001 - the status is sent already; a stream can only say it
                refused = refusal_of(error)
                if refused.status_code == 500:
                    log.exception("a stream failed")
                yield wire.failure(refused.body)

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})


def event(data: Mapping[str, Any], name: str = "") -> str:
    """One event that holds JSON, perhaps with a name."""
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
