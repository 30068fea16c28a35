"""/v1/completions and /v1/chat/completions, as OpenAI's clients speak them."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from services.answers import AnswerPart, Tokens
from services.http.events import STREAMED, Wire, answered, event
from services.models import ServedModels
from services.queue import Queues
from services.schemas import ChatRequest, CompletionRequest


def completion_routes(models: ServedModels, queues: Queues) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1")

    @router.post("/completions", responses=STREAMED)
    async def completions(body: CompletionRequest, request: Request) -> Response:
        """Text that continues a prompt."""
        model = models.named(body.model)
        wire = CompletionWire("cmpl", "text_completion", model.name, usage=body.wants_usage)
        return await answered(queues, model.complete(body), wire, request, stream=body.stream)

    @router.post("/chat/completions", responses=STREAMED)
    async def chat(body: ChatRequest, request: Request) -> Response:
        """The last message of the user as a task, the files that it changes as the answer."""
        model = models.named(body.model)
        wire = CompletionWire("chatcmpl", "chat.completion", model.name, usage=body.wants_usage)
        return await answered(queues, model.chat(body), wire, request, stream=body.stream)

    return router


class CompletionWire(Wire):
    """How completed text and chats look to OpenAI's clients."""

    def __init__(self, prefix: str, kind: str, model: str, *, usage: bool) -> None:
        self._kind, self._usage = kind, usage
        self._head = {"id": f"{prefix}-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}

    def whole(self, parts: list[AnswerPart]) -> dict[str, Any]:
        """All in one."""
        text = "".join(part.text for part in parts)
        finish = next((part.finish for part in parts if part.finish), "stop")
        message = {"role": "assistant", "content": text, "refusal": None}
        content = {"message": message} if self._is_chat else {"text": text}
        choice = {"index": 0, **content, "finish_reason": finish, "logprobs": None}
        fields = {name: value for part in parts for name, value in _fields(part).items()}
        return {**self._head, "object": self._kind, "choices": [choice], "usage": _usage(Tokens.of(parts)), **fields}

    async def stream(self, parts: AsyncIterator[AnswerPart]) -> AsyncIterator[str]:
        """One event for each part with text, and one for the end."""
        used, first = Tokens(), True
        head = {**self._head, "object": f"{self._kind}.chunk" if self._is_chat else self._kind}
        waiting = {"usage": None} if self._usage else {}
        async for part in parts:
            used += Tokens.of([part])
            if not (part.text or part.finish):
                continue
            delta = {"content": part.text} if part.text else {}
            if first and self._is_chat:
                delta["role"] = "assistant"
            first = False
            content = {"delta": delta} if self._is_chat else {"text": part.text}
            choice = {"index": 0, **content, "finish_reason": part.finish or None, "logprobs": None}
            yield event({**head, "choices": [choice], **waiting, **_fields(part)})
        if self._usage:
            yield event({**head, "choices": [], "usage": _usage(used)})
        yield "data: [DONE]\n\n"

    @property
    def _is_chat(self) -> bool:
        return self._kind.startswith("chat")


def _fields(part: AnswerPart) -> Mapping[str, Any]:
    """What a part adds to OpenAI's fields, as citations."""
    found: Mapping[str, Any] = part.data.get("fields", {})
    return found


def _usage(used: Tokens) -> dict[str, int]:
    return {
        "prompt_tokens": used.read,
        "completion_tokens": used.written,
        "total_tokens": used.read + used.written,
    }
