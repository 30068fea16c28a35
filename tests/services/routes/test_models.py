"""The list of models, and one of them."""

from __future__ import annotations

import httpx2 as httpx
import pytest
from answerers import asked, official

Client = httpx.AsyncClient


def test_the_official_client_lists_models_and_finds_one_by_its_name() -> None:
    async def work(client: Client) -> None:
        models = official(client).models
        listed = [model async for model in models.list()]
        assert [model.id for model in listed] == ["team/model"]
        assert await models.retrieve("team/model") == listed[0]
        assert (listed[0].object, listed[0].owned_by, listed[0].created) == ("model", "gitlore", 1700000000)
        assert (await client.get("/v1/models/")).json()["object"] == "list"

    asked(work)


def test_a_name_that_nothing_has_is_model_not_found_everywhere() -> None:
    async def work(client: Client) -> None:
        import openai

        ask = official(client)
        for call in (
            ask.models.retrieve("other"),
            ask.completions.create(model="other", prompt="fn"),
            ask.chat.completions.create(model="other", messages=[{"role": "user", "content": "fix"}]),
            ask.responses.create(model="other", input="fix"),
        ):
            with pytest.raises(openai.NotFoundError) as raised:
                await call
            assert (raised.value.code, raised.value.param) == ("model_not_found", "model")
            assert "known: team/model" in raised.value.message
        long = (await client.get("/v1/models/" + "x" * 5000)).json()
        assert len(long["error"]["message"]) < 300

    asked(work)
