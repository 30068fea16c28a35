"""Answers as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from core.logs import log
from services.answers import AnswerPart, Work
from services.queue import LateError, Queues

Wire = Callable[[AsyncIterator[AnswerPart]], AsyncIterator[str]]
"""Turns the parts of an answer into events."""


async def streamed(queues: Queues, work: Work, wire: Wire, request: Request) -> Response:
    """A stream of events. An error before the first part keeps its own status."""
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
                async for line in wire(again()):
                    yield line
            except LateError:
                yield event({"error": {"message": "the request took too long", "type": "timeout"}})
            except Exception as error:  # noqa: BLE001 - the status is sent already; a stream can only say it
                log.exception("a stream failed")
                yield event({"error": {"message": str(error), "type": "server_error"}})

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})


def event(data: Mapping[str, Any]) -> str:
    """One event that holds JSON."""
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
