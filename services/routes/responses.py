"""/v1/responses, the newer of OpenAI's ways to ask. Nothing is stored."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from services.answers import AnswerPart, Tokens
from services.http.errors import MOST_SHOWN, RefusedError
from services.http.events import STREAMED, Wire, answered, event
from services.models import ServedModels
from services.queue import Queues
from services.schemas import TEXT_FORMAT, ResponseRequest


def response_routes(models: ServedModels, queues: Queues) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/responses")

    @router.post("", responses=STREAMED)
    async def respond(body: ResponseRequest, request: Request) -> Response:
        """The last message of the user as a task, the files that it changes as the answer."""
        model = models.named(body.model)
        wire = ResponseWire(body, model.name)
        return await answered(queues, model.chat(body), wire, request, stream=body.stream)

    @router.get("/{response_id}")
    @router.delete("/{response_id}")
    @router.get("/{response_id}/input_items")
    @router.post("/{response_id}/cancel")
    async def stored(response_id: str) -> Response:
        """Always 404: no response is stored."""
        message = f"no response is stored, {response_id[:MOST_SHOWN]!r} neither; ask again with the whole input"
        raise RefusedError(404, message, param="response_id", code="response_not_found")

    return router


class ResponseWire(Wire):
    """How a response looks to OpenAI's clients: one message with one text.

    All fields that their schema demands are there, since some clients check them.
    """

    def __init__(self, asked: ResponseRequest, model: str) -> None:
        self._item_id = f"msg_{uuid.uuid4().hex}"
        self._numbers = itertools.count()
        self._asked = {
            "id": f"resp_{uuid.uuid4().hex}",
            "object": "response",
            "created_at": int(time.time()),
            "model": model,
            "background": False,
            "error": None,
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "metadata": asked.metadata or {},
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": None,
            "service_tier": "default",
            "store": False,
            "temperature": asked.question.temperature,
            "text": {"format": TEXT_FORMAT},
            "tool_choice": asked.tool_choice or "auto",
            "tools": [],
            "top_p": asked.question.top_p,
            "truncation": asked.truncation or "disabled",
        }

    def whole(self, parts: list[AnswerPart]) -> dict[str, Any]:
        """All in one."""
        finish = next((part.finish for part in parts if part.finish), "stop")
        return self._ended("".join(part.text for part in parts), finish, Tokens.of(parts))

    async def stream(self, parts: AsyncIterator[AnswerPart]) -> AsyncIterator[str]:
        """The events in OpenAI's order: the response, its item and the item's part begin, grow and end."""
        item, part = {"output_index": 0}, {"output_index": 0, "item_id": self._item_id, "content_index": 0}
        yield self._event("response.created", response=self._response("in_progress"))
        yield self._event("response.in_progress", response=self._response("in_progress"))
        yield self._event("response.output_item.added", **item, item=self._item("in_progress"))
        yield self._event("response.content_part.added", **part, part=_text(""))
        text, used, finish = "", Tokens(), "stop"
        async for piece in parts:
            used, text, finish = used + Tokens.of([piece]), text + piece.text, piece.finish or finish
            if piece.text:
                yield self._event("response.output_text.delta", **part, delta=piece.text, logprobs=[])
        ended = self._ended(text, finish, used)
        yield self._event("response.output_text.done", **part, text=text, logprobs=[])
        yield self._event("response.content_part.done", **part, part=_text(text))
        yield self._event("response.output_item.done", **item, item=ended["output"][0])
        yield self._event(f"response.{ended['status']}", response=ended)

    def failure(self, error: Mapping[str, str | None]) -> str:
        """The fields stand where the schema has them, and in `error`, where clients look for them."""
        fields = {"code": error["code"], "message": error["message"], "param": error["param"]}
        return self._event("error", **fields, error=error)

    def _event(self, kind: str, **fields: Any) -> str:
        return event({"type": kind, "sequence_number": next(self._numbers), **fields}, kind)

    def _ended(self, text: str, finish: str, used: Tokens) -> dict[str, Any]:
        """The whole response. One that was cut at `max_output_tokens` is incomplete."""
        cut = finish == "length"
        status = "incomplete" if cut else "completed"
        return {
            **self._response(status),
            "completed_at": None if cut else int(time.time()),
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "output": [self._item(status, text)],
            "usage": {
                "input_tokens": used.read,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": used.written,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": used.read + used.written,
            },
        }

    def _response(self, status: str) -> dict[str, Any]:
        """One without its output."""
        return {**self._asked, "status": status, "completed_at": None, "incomplete_details": None, "output": []}

    def _item(self, status: str, text: str | None = None) -> dict[str, Any]:
        content = [] if text is None else [_text(text)]
        return {"id": self._item_id, "type": "message", "role": "assistant", "status": status, "content": content}


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
