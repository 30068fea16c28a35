"""Requests with and without the key, in front of an application that answers anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import httpx2 as httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from services.http.keys import KeyGuard
from services.http.sessions import Sessions


async def welcome(scope: Scope, receive: Receive, send: Send) -> None:
    await Request(scope, receive).body()
    await PlainTextResponse("welcome")(scope, receive, send)


def asked(key: str, path: str, headers: Mapping[bytes, bytes], body: AsyncIterator[bytes] | None = None) -> int:
    """The status of an answer."""

    async def inside() -> int:
        transport = httpx.ASGITransport(app=KeyGuard(welcome, sessions=Sessions(key), has_pages=False))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return (await client.post(path, headers=list(headers.items()), content=body)).status_code

    return asyncio.run(inside())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({b"Authorization": b"Bearer secret"}, 200),
        ({b"Authorization": b"bearer  secret "}, 200),
        ({b"X-API-Key": b"secret"}, 200),
        ({b"Authorization": b"Basic secret"}, 401),
        ({b"Authorization": b"Bearer secret2"}, 401),
        ({b"Authorization": b"Bearer no", b"X-API-Key": b"secret"}, 401),
        ({b"Authorization": b"Bearer"}, 401),
        ({b"X-API-Key": b"\xff\xfe"}, 401),
        ({b"X-API-Key": b""}, 401),
    ],
)
def test_a_key_is_asked_for(headers: Mapping[bytes, bytes], status: int) -> None:
    assert asked("secret", "/predict", headers) == status
    assert asked("", "/predict", headers) == 200


def test_a_key_may_be_any_text() -> None:
    assert asked("schlüssel", "/predict", {b"X-API-Key": "schlüssel".encode()}) == 200
    assert asked("schlüssel", "/predict", {b"X-API-Key": b"schlussel"}) == 401


def test_only_health_needs_no_key() -> None:
    assert asked("secret", "/health", {}) == 200
    for path in ("/docs", "/openapi.json", "/mcp", "/v1/models", "/health/", "//health", "/nowhere"):
        assert asked("secret", path, {}) == 401


def test_nothing_is_read_of_a_request_without_the_key() -> None:
    read = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"x"

    assert asked("secret", "/predict", {}, body()) == 401
    assert read == []
    assert asked("secret", "/predict", {b"X-API-Key": b"secret"}, body()) == 200
    assert read == [1]


@pytest.mark.parametrize(("has_pages", "status"), [(True, 303), (False, 401)])
def test_a_browser_is_sent_to_sign_in_where_there_are_pages(has_pages: bool, status: int) -> None:
    async def inside() -> httpx.Response:
        guard = KeyGuard(welcome, sessions=Sessions("secret"), has_pages=has_pages)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=guard), base_url="http://test") as client:
            return await client.get("/", headers={"Accept": "text/html"})

    answer = asyncio.run(inside())
    assert answer.status_code == status
    assert "people sign in" not in answer.text
    assert answer.headers.get("Location", "") == ("/sign-in" if has_pages else "")
