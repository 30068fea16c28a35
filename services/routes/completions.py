"""/v1/completions and /v1/chat/completions, as OpenAI's clients speak them."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from services.answers import AnswerPart, Work
from services.http.events import event, streamed
from services.models import ServedModels
from services.queue import Queues
from services.schemas import ChatRequest, CompletionRequest


def completion_routes(models: ServedModels, queues: Queues) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1")

    @router.post("/completions")
    async def completions(body: CompletionRequest, request: Request) -> Response:
        """Text that continues a prompt."""
        model = models.named(body.model)
        wire = OpenAIWire("cmpl", "text_completion", model.name, usage=body.wants_usage)
        return await answered(model.complete(body), wire, request, stream=bool(body.stream))

    @router.post("/chat/completions")
    async def chat(body: ChatRequest, request: Request) -> Response:
        """The last message of the user as a task, the files that it changes as the answer."""
        model = models.named(body.model)
        wire = OpenAIWire("chatcmpl", "chat.completion", model.name, usage=body.wants_usage)
        return await answered(model.chat(body), wire, request, stream=bool(body.stream))

    async def answered(work: Work, wire: OpenAIWire, request: Request, *, stream: bool) -> Response:
        if stream:
            return await streamed(queues, work, wire.stream, request)
        return JSONResponse(wire.whole(await queues.all(work, request.is_disconnected)))

    return router


class OpenAIWire:
    """How answers look to OpenAI's clients."""

    def __init__(self, prefix: str, kind: str, model: str, *, usage: bool) -> None:
        self._kind, self._usage = kind, usage
        self._head = {"id": f"{prefix}-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}

    def whole(self, parts: list[AnswerPart]) -> dict[str, Any]:
        """All in one."""
        text = "".join(part.text for part in parts)
        finish = next((part.finish for part in parts if part.finish), "stop")
        content = {"message": {"role": "assistant", "content": text}} if self._is_chat else {"text": text}
        choice = {"index": 0, **content, "finish_reason": finish, "logprobs": None}
        return {**self._head, "object": self._kind, "choices": [choice], "usage": _usage(parts)}

    async def stream(self, parts: AsyncIterator[AnswerPart]) -> AsyncIterator[str]:
        """One event for each part with text, and one for the end."""
        seen = []
        kind = f"{self._kind}.chunk" if self._is_chat else self._kind
        first = True
        async for part in parts:
            seen.append(AnswerPart(data=part.data, tokens=part.tokens))
            if not (part.text or part.finish):
                continue
            delta = {"content": part.text} if part.text else {}
            if first and self._is_chat:
                delta["role"] = "assistant"
            first = False
            content = {"delta": delta} if self._is_chat else {"text": part.text}
            choice = {"index": 0, **content, "finish_reason": part.finish or None, "logprobs": None}
            yield event({**self._head, "object": kind, "choices": [choice]})
        if self._usage:
            yield event({**self._head, "object": kind, "choices": [], "usage": _usage(seen)})
        yield "data: [DONE]\n\n"

    @property
    def _is_chat(self) -> bool:
        return self._kind.startswith("chat")


def _usage(parts: list[AnswerPart]) -> dict[str, int]:
    prompt = sum(int(part.data.get("prompt_tokens", 0)) for part in parts)
    written = sum(part.tokens for part in parts)
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
