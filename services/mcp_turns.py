"""A tool's turn in a queue; what goes wrong is a sentence for the agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from mcp.server.mcpserver.exceptions import ToolError

from core.errors import GitloreError
from services.http.errors import RefusedError
from services.queue import BusyError, LateError, RequestQueue

T = TypeVar("T")


async def in_turn(
    queue: RequestQueue, call: Callable[[], T], ready: Callable[[float], Awaitable[None]] | None = None
) -> T:
    """What a call in the queue's thread returns, once it is `ready`. Raises ToolError."""
    try:
        if ready:
            await ready(queue.most_s)
        return await queue.one(call)
    except RefusedError as error:
        raise ToolError(error.detail) from error
    except GitloreError as error:
        raise ToolError(str(error)) from error
    except BusyError:
        raise ToolError("the queue is full, try again in a moment") from None
    except LateError:
        raise ToolError("it took too long, try again in a moment") from None
