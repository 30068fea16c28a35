"""What agents learn of code: places, their text and callers, and answers with citations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest
from builders import Repo
from mcp.server.mcpserver.exceptions import ToolError

from services.chat_tools import ChatTools
from services.chats import Chats
from services.indexing import Indexing
from services.queue import RequestQueue
from tests.services.conftest import Asking


def used(shop: Asking, work: Callable[[ChatTools], Awaitable[Any]], seconds: float = 60) -> Any:
    """What a function gets with the tools."""

    async def inside() -> Any:
        with (
            closing(Chats.open({"": str(shop.repo.path)}, shop.cache)) as chats,
            closing(RequestQueue(4, seconds, "questions")) as queue,
        ):
            return await work(ChatTools(chats.named(""), queue))

    return asyncio.run(inside())


def test_code_is_found_by_words_and_shown_with_what_calls_it(shop: Asking) -> None:
    async def work(tools: ChatTools) -> tuple[Any, Any]:
        return await tools.search_code("reduce a large order"), await tools.get_context("discount")

    found, context = used(shop, work)
    head = shop.repo.git("rev-parse", "HEAD")
    assert found.at == context.at == head
    assert found.places[0].symbol == context.places[0].place.symbol == "discount"
    lines = shop.repo.git("show", "HEAD:shop/basket.py").split("\n")
    place = context.places[0].place
    assert context.places[0].code.split("\n") == lines[place.first - 1 : place.last]
    assert context.callers == [f"`checkout` in shop/basket.py calls `discount`. (shop/basket.py:13@{head[:9]})"]


def test_credentials_are_not_shown(shop: Asking) -> None:
    secret = "ghp_" + "a8Zk2" * 7 + "q"
    shop.repo.commit("add a token", {"shop/key.py": f'def key():\n    return "{secret}"\n'})

    async def work(tools: ChatTools) -> Any:
        return await tools.get_context("shop/key.py")

    (shown,) = used(shop, work).places
    assert shown.code.startswith("def key():")
    assert secret not in shown.code


def test_answers_have_citations(shop: Asking) -> None:
    async def work(tools: ChatTools) -> list[Any]:
        return [
            await tools.ask("where is a large order reduced?"),
            await tools.who_knows("discount"),
            await tools.why_changed("discount"),
        ]

    where, who, why = used(shop, work)
    assert where.citations[0]["path"] == "shop/basket.py"
    assert shop.repo.git("log", "-1", "--format=%an") in who.text
    assert "raise the discount to a tenth" in why.text
    assert all(one.known and one.citations and one.at == where.at for one in (where, who, why))


def test_a_question_may_follow_an_answer(shop: Asking) -> None:
    async def work(tools: ChatTools) -> Any:
        where = await tools.ask("where is a large order reduced?")
        with pytest.raises(ToolError, match="no answer 'ans_none' is kept"):
            await tools.ask("who calls it?", "ans_none")
        return await tools.ask("who calls it?", where.answer_id)

    assert "`checkout` in shop/basket.py calls `discount`." in used(shop, work).text


def test_an_index_that_is_not_there_in_time_is_said(shop: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Indexing, "_update", lambda one, revision: None)

    async def work(tools: ChatTools) -> None:
        with pytest.raises(ToolError, match="shop is not indexed yet"):
            await tools.search_code("x")

    used(shop, work, seconds=0.1)


def test_an_empty_repository_is_said(tmp_path: Any) -> None:
    empty = Asking(Repo.new(tmp_path / "empty"), tmp_path / "cache")

    async def work(tools: ChatTools) -> None:
        with pytest.raises(ToolError, match="no commits to answer from"):
            await tools.ask("where?")

    used(empty, work)
