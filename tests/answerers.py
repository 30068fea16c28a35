"""A model that answers all requests with the same parts, and the service in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx2 as httpx

from services.app import Limits, Piece, make_app
from services.schemas import CompletionRequest, PredictRequest, TaskRequest

if TYPE_CHECKING:
    from openai import AsyncOpenAI

BEGIN = Piece(data={"prompt_tokens": 4})
END = Piece(tokens=2, finish="stop")
CUT = Piece(tokens=2, finish="length")
HELLO = (BEGIN, Piece("hel"), Piece("lo"), END)


class Repeating:
    """Says the same whatever it is asked; an exception among the parts is raised."""

    created = 1700000000

    def __init__(self, *parts: Piece | Exception, name: str = "team/model") -> None:
        self.name, self._parts = name, parts or HELLO
        self.asked: list[Any] = []

    def predict(self, request: PredictRequest) -> Iterator[Piece]:
        return self._said(request)

    def complete(self, request: CompletionRequest) -> Iterator[Piece]:
        return self._said(request)

    def chat(self, request: TaskRequest) -> Iterator[Piece]:
        return self._said(request)

    def _said(self, request: object) -> Iterator[Piece]:
        self.asked.append(request)
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            yield part


def asked(work: Callable[[httpx.AsyncClient], Awaitable[Any]], model: Repeating | None = None, key: str = "") -> Any:
    """What a function gets that is called with a client of the service."""
    model = model or Repeating()
    app = make_app({model.name: model}, Limits(), key)

    async def inside() -> Any:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await work(client)

    return asyncio.run(inside())


def official(client: httpx.AsyncClient, key: str = "any") -> AsyncOpenAI:
    """OpenAI's own client."""
    import openai  # takes two seconds

    return openai.AsyncOpenAI(base_url="http://localhost/v1", api_key=key, max_retries=0, http_client=client)
