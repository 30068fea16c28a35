"""The routes: /predict in our own terms, /v1/… in those of OpenAI's clients, /health, /docs."""

from __future__ import annotations

import asyncio
import functools
import hmac
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import __version__
from core.errors import GitloreError, UserError
from core.logs import log
from services.queue import BusyError, Engine, LateError
from services.schemas import ChatRequest, CompletionRequest, PredictRequest

RETRY_AFTER_S = 2
_STREAM = "text/event-stream"


@dataclass(frozen=True)
class Piece:
    """A part of an answer: text of it, or what ends it."""

    text: str = ""
    event: str = ""
    """Name of an event of /predict; empty for text."""
    data: Mapping[str, Any] = field(default_factory=dict)
    tokens: int = 0
    """Tokens written for it."""
    finish: str = ""
    """Why the answer ended: "stop" or "length"; empty before."""


class Model(Protocol):
    """What answers. All methods run in the engine's thread, one at a time."""

    name: str
    created: int

    def predict(self, request: PredictRequest) -> Iterator[Piece]:
        """Events "ranking", text, "done", which holds the whole prediction."""
        ...

    def complete(self, request: CompletionRequest) -> Iterator[Piece]:
        """Text, then a piece with `finish`. The first piece's `data` holds "prompt_tokens"."""
        ...

    def chat(self, request: ChatRequest) -> Iterator[Piece]:
        """The same."""
        ...


@dataclass(frozen=True)
class Limits:
    """What a request may cost."""

    body_bytes: int = 1_000_000
    waiting: int = 16
    seconds: float = 120.0
    body_seconds: float = 10.0
    """Between two parts of a body."""


def make_app(models: Mapping[str, Model], limits: Limits, api_key: str = "") -> FastAPI:
    """The service. The first of `models` answers who names none; with an `api_key`, who lacks it is refused."""
    service = Service(models, limits, api_key)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.engine.close()

    app = FastAPI(title="Gitlore", version=__version__, lifespan=lifespan, description="What changes next, over HTTP.")
    app.add_middleware(BodyLimit, most=limits.body_bytes, most_seconds=limits.body_seconds)
    _handle_errors(app)
    guarded = [Depends(service.check_key)]
    app.get("/health")(service.health)
    app.get("/v1/models", dependencies=guarded)(service.list_models)
    app.post("/predict", dependencies=guarded)(service.predict)
    app.post("/v1/completions", dependencies=guarded)(service.completions)
    app.post("/v1/chat/completions", dependencies=guarded)(service.chat)
    return app


class Service:
    """The routes' own work."""

    def __init__(self, models: Mapping[str, Model], limits: Limits, api_key: str) -> None:
        self._models, self._limits, self._key = models, limits, api_key.encode()
        self.engine = Engine(limits.waiting, limits.seconds)

    async def check_key(self, request: Request) -> None:
        """Refuse who lacks the key."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        given = given if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        if self._key and not hmac.compare_digest(given.encode(), self._key):
            raise HTTPException(401, "a valid API key is needed: Authorization: Bearer …")

    async def health(self) -> dict[str, Any]:
        """Is the service up, and how full is its queue?"""
        busy = {"requests": self.engine.inside, "most_waiting": self._limits.waiting}
        return {"status": "ok", "models": list(self._models), **busy}

    async def list_models(self) -> dict[str, Any]:
        """The models that can be asked."""
        entries = [
            {"id": name, "object": "model", "created": model.created, "owned_by": "gitlore"}
            for name, model in self._models.items()
        ]
        return {"object": "list", "data": entries}

    async def predict(self, body: PredictRequest, request: Request) -> Response:
        """Files and kinds of change of the next commit, with a sketch of it."""
        model = self._named(body.model)
        work = functools.partial(model.predict, body)
        if body.stream:
            return await _streamed(self.engine, work, _events, request)
        pieces = await self.engine.all(work, request.is_disconnected)
        return JSONResponse({"model": model.name, **(pieces[-1].data if pieces else {})})

    async def completions(self, body: CompletionRequest, request: Request) -> Response:
        """Text that goes on from a prompt."""
        model = self._named(body.model)
        wire = _Wire("cmpl", "text_completion", model.name, usage=body.wants_usage)
        return await self._answered(functools.partial(model.complete, body), wire, request, stream=bool(body.stream))

    async def chat(self, body: ChatRequest, request: Request) -> Response:
        """The last message of the user as a task, the prediction as the answer."""
        model = self._named(body.model)
        wire = _Wire("chatcmpl", "chat.completion", model.name, usage=body.wants_usage)
        return await self._answered(functools.partial(model.chat, body), wire, request, stream=bool(body.stream))

    async def _answered(
        self, work: Callable[[], Iterator[Piece]], wire: _Wire, request: Request, *, stream: bool
    ) -> Response:
        if stream:
            return await _streamed(self.engine, work, wire.stream, request)
        return JSONResponse(wire.whole(await self.engine.all(work, request.is_disconnected)))

    def _named(self, name: str) -> Model:
        if not name:
            return next(iter(self._models.values()))
        if name not in self._models:
            raise HTTPException(404, f"no model is named {name!r}; known: {', '.join(self._models)}")
        return self._models[name]


class BodyLimit:
    """Refuses bodies that are too long, or that do not come. What is too long is still read, up to a point and without
    keeping it: a client that is cut off while it sends may never read why."""

    _READ_ON = 16
    """How many times the limit is read and thrown away."""

    def __init__(self, app: ASGIApp, most: int, most_seconds: float) -> None:
        self._app, self._most, self._most_s = app, most, most_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self._app(scope, receive, send)
            return
        kept, size, more = bytearray(), 0, True
        while more and size <= self._READ_ON * self._most:
            try:
                message = await asyncio.wait_for(receive(), self._most_s)
            except TimeoutError:
                await self._refuse(408, "the body did not come", scope, receive, send)
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
        told = False

        async def replay() -> Message:
            nonlocal told
            if told:
                return await receive()
            told = True
            return {"type": "http.request", "body": bytes(kept), "more_body": False}

        await self._app(scope, replay, send)

    @staticmethod
    async def _refuse(status: int, why: str, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _error(status, why)
        answer.headers["Connection"] = "close"
        await answer(scope, receive, send)


class _Wire:
    """How answers look to OpenAI's clients."""

    def __init__(self, prefix: str, kind: str, model: str, *, usage: bool) -> None:
        self._kind, self._usage = kind, usage
        self._about = {"id": f"{prefix}-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}

    def whole(self, pieces: list[Piece]) -> dict[str, Any]:
        """All in one."""
        text = "".join(piece.text for piece in pieces)
        finish = next((piece.finish for piece in pieces if piece.finish), "stop")
        content = {"message": {"role": "assistant", "content": text}} if self._is_chat else {"text": text}
        choice = {"index": 0, **content, "finish_reason": finish, "logprobs": None}
        return {**self._about, "object": self._kind, "choices": [choice], "usage": _usage(pieces)}

    async def stream(self, pieces: AsyncIterator[Piece]) -> AsyncIterator[str]:
        """One event for each piece that holds text, one for the end."""
        seen = []
        kind = f"{self._kind}.chunk" if self._is_chat else self._kind
        first = True
        async for piece in pieces:
            seen.append(Piece(data=piece.data, tokens=piece.tokens))
            if not (piece.text or piece.finish):
                continue
            delta = {"content": piece.text} if piece.text else {}
            if first and self._is_chat:
                delta["role"] = "assistant"
            first = False
            content = {"delta": delta} if self._is_chat else {"text": piece.text}
            choice = {"index": 0, **content, "finish_reason": piece.finish or None, "logprobs": None}
            yield _event({**self._about, "object": kind, "choices": [choice]})
        if self._usage:
            yield _event({**self._about, "object": kind, "choices": [], "usage": _usage(seen)})
        yield "data: [DONE]\n\n"

    @property
    def _is_chat(self) -> bool:
        return self._kind.startswith("chat")


async def _events(pieces: AsyncIterator[Piece]) -> AsyncIterator[str]:
    async for piece in pieces:
        yield f"event: {piece.event or 'text'}\n" + _event(piece.data if piece.event else {"text": piece.text})


async def _streamed(
    engine: Engine,
    work: Callable[[], Iterator[Piece]],
    told: Callable[[AsyncIterator[Piece]], AsyncIterator[str]],
    request: Request,
) -> Response:
    """A stream of events. What goes wrong before the first piece is an error with its own status."""
    pieces = engine.pieces(work, request.is_disconnected)
    try:
        first = await anext(pieces, None)
    except BaseException:
        await pieces.aclose()
        raise

    async def lines() -> AsyncIterator[str]:
        async def again() -> AsyncIterator[Piece]:
            if first is not None:
                yield first
            async for piece in pieces:
                yield piece

        async with aclosing(pieces):
            try:
                async for line in told(again()):
                    yield line
            except LateError:
                yield _event({"error": {"message": "the request took too long", "type": "timeout"}})
            except Exception as error:  # noqa: BLE001 - the status is sent already; a stream can only say it
                log.exception("a stream failed")
                yield _event({"error": {"message": str(error), "type": "server_error"}})

    return StreamingResponse(lines(), media_type=_STREAM, headers={"Cache-Control": "no-cache"})


def _handle_errors(app: FastAPI) -> None:
    """Every error in the shape that OpenAI's clients read."""

    @app.exception_handler(StarletteHTTPException)
    async def http(_: Request, error: StarletteHTTPException) -> Response:
        return _error(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        said = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()[:5])
        return _error(422, said)

    @app.exception_handler(BusyError)
    async def busy(_: Request, __: BusyError) -> Response:
        answer = _error(429, "the queue is full, try again in a moment")
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
        return answer

    @app.exception_handler(LateError)
    async def late(_: Request, __: LateError) -> Response:
        return _error(504, "the request took too long")

    @app.exception_handler(Exception)
    async def defect(_: Request, error: Exception) -> Response:
        log.debug("a request failed", exc_info=error)
        return _error(500, f"{type(error).__name__}: this is a defect of Gitlore")

    @app.exception_handler(GitloreError)
    async def ours(_: Request, error: GitloreError) -> Response:
        return _error(400 if isinstance(error, UserError) else 500, str(error))


def _error(status: int, message: str) -> JSONResponse:
    kind = {401: "authentication_error", 429: "rate_limit_error", 504: "timeout"}.get(
        status, "server_error" if status >= 500 else "invalid_request_error"
    )
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": status}}, status)


def _usage(pieces: list[Piece]) -> dict[str, int]:
    prompt = sum(int(piece.data.get("prompt_tokens", 0)) for piece in pieces)
    written = sum(piece.tokens for piece in pieces)
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}


def _event(data: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
