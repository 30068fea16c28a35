"""Each answer has an id of its own."""

from __future__ import annotations

import httpx2 as httpx
from answerers import Repeating, asked, official

Client = httpx.AsyncClient


def test_the_official_client_finds_the_id_of_an_answer() -> None:
    async def work(client: Client) -> None:
        chats = official(client).chat.completions
        made = [await chats.create(model="team/model", messages=[{"role": "user", "content": "fix"}]) for _ in "ab"]
        ids = [answer._request_id or "" for answer in made]
        assert all(name.startswith("req_") for name in ids)
        assert len(set(ids)) == 2

    asked(work)


def test_errors_have_one_too() -> None:
    async def work(client: Client) -> None:
        for answer in (
            await client.get("/v1/nowhere"),
            await client.post("/v1/completions", json={"prompt": "fn"}),
            await client.post("/v1/completions", json={"prompt": "fn", "stream": True}),
        ):
            assert answer.status_code in (404, 500)
            assert answer.headers.get_list("x-request-id")[0].startswith("req_")
            assert len(answer.headers.get_list("x-request-id")) == 1

    asked(work, Repeating(RuntimeError("a defect")))
