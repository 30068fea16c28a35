"""HEAD, wherever GET is."""

from __future__ import annotations

import asyncio

import httpx2 as httpx
import pytest
from answerers import asked
from starlette.responses import PlainTextResponse

from services.http.heads import Heads
from services.http.keys import KeyGuard
from services.http.sessions import Sessions

Client = httpx.AsyncClient


@pytest.mark.parametrize("path", ["/health", "/docs", "/openapi.json", "/v1/models", "/predict", "/nowhere"])
def test_head_is_answered_as_get_is_without_a_body(path: str) -> None:
    async def work(client: Client) -> tuple[httpx.Response, httpx.Response]:
        return await client.head(path), await client.get(path)

    head, got = asked(work)
    assert head.content == b""
    assert head.status_code == got.status_code
    for name in ("content-type", "content-length", "allow"):
        assert head.headers.get(name) == got.headers.get(name)


def test_a_browser_without_the_key_is_sent_to_sign_in_by_head_too() -> None:
    async def inside() -> httpx.Response:
        guarded = Heads(KeyGuard(PlainTextResponse("welcome"), sessions=Sessions("secret"), has_pages=True))
        async with Client(transport=httpx.ASGITransport(app=guarded), base_url="http://test") as client:
            return await client.head("/", headers={"Accept": "text/html"})

    answer = asyncio.run(inside())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
