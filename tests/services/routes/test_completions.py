"""Completions and chats, asked by OpenAI's own client and by hand."""

from __future__ import annotations

import json
from typing import Any

import httpx2 as httpx
import pytest
from answerers import BEGIN, CUT, HELLO, Repeating, asked, official

from core.prediction.question import MOST_TOKENS
from services.answers import AnswerPart

Client = httpx.AsyncClient
TASK = [{"role": "user", "content": "fix"}]
NOTHING_ASKED: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {
        "messages": TASK,
        "n": 1,
        "logprobs": False,
        "top_logprobs": None,
        "logit_bias": {},
        "stop": None,
        "response_format": {"type": "text"},
        "modalities": ["text"],
        "tools": [],
        "tool_choice": "auto",
        "functions": [],
        "function_call": "none",
        "frequency_penalty": 0,
        "presence_penalty": 0.0,
        "store": True,
        "metadata": {"a": "b"},
        "user": "u",
        "service_tier": "auto",
        "reasoning_effort": "low",
        "verbosity": "low",
        "parallel_tool_calls": False,
        "prediction": None,
        "a_field_of_tomorrow": 1,
    },
    "/v1/completions": {
        "prompt": "fn",
        "n": 1,
        "best_of": 1,
        "logprobs": None,
        "suffix": "",
        "logit_bias": None,
        "echo": False,
        "frequency_penalty": 0,
        "presence_penalty": 0,
        "user": "u",
        "stop": ["a"],
        "a_field_of_tomorrow": 1,
    },
}
"""What official clients send that asks for nothing."""


def posted(path: str, body: dict[str, Any], model: Repeating | None = None) -> httpx.Response:
    async def work(client: Client) -> httpx.Response:
        return await client.post(path, json=body)

    return asked(work, model)


@pytest.mark.parametrize("path", NOTHING_ASKED)
def test_fields_that_ask_for_nothing_are_taken(path: str) -> None:
    body = NOTHING_ASKED[path]
    assert posted(path, body).status_code == 200
    needed = {"messages", "prompt"}
    nulls = {name: value if name in needed else None for name, value in body.items()}
    nulls |= dict.fromkeys(("model", "stream", "stream_options", "seed", "max_tokens", "temperature", "top_p"))
    assert posted(path, nulls).status_code == 200


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        *[("/v1/chat/completions", *one) for one in (
            ("tools", [{"type": "function", "function": {"name": "f"}}]),
            ("tool_choice", "required"),
            ("tool_choice", {"type": "function", "function": {"name": "f"}}),
            ("functions", [{"name": "f"}]),
            ("function_call", {"name": "f"}),
            ("response_format", {"type": "json_object"}),
            ("response_format", {"type": "json_schema", "json_schema": {"name": "s"}}),
            ("n", 2),
            ("logprobs", True),
            ("top_logprobs", 3),
            ("logit_bias", {"50256": -100}),
            ("modalities", ["text", "audio"]),
            ("audio", {"voice": "alloy", "format": "wav"}),
            ("web_search_options", {}),
            ("frequency_penalty", 0.5),
            ("presence_penalty", -0.5),
        )],
        *[("/v1/completions", *one) for one in (
            ("n", 2),
            ("best_of", 3),
            ("logprobs", 0),
            ("suffix", "}"),
            ("logit_bias", {"1": 1}),
            ("frequency_penalty", 1),
        )],
    ],
)  # fmt: skip
def test_what_is_not_offered_is_refused_with_a_sentence(path: str, field: str, value: object) -> None:
    model = Repeating()
    answer = posted(path, {"messages": TASK, "prompt": "fn", field: value}, model)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, field, "unsupported_value"), error
    assert "leave this out" in error["message"]
    assert model.asked == []


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_more_tokens_than_a_sketch_can_have_are_taken_as_those_it_can(field: str) -> None:
    model = Repeating()
    assert posted("/v1/chat/completions", {"messages": TASK, field: 32_000}, model).status_code == 200
    assert model.asked[0].question.sketch_tokens == MOST_TOKENS


def test_the_official_client_chats() -> None:
    async def work(client: Client) -> None:
        chats = official(client).chat.completions
        messages: Any = [{"role": "developer", "content": "be brief"}, *TASK, {"role": "assistant", "content": None}]
        answer = await chats.create(model="team/model", messages=messages, max_completion_tokens=9, stop=None)
        message = answer.choices[0].message
        assert (message.role, message.content, message.refusal) == ("assistant", "hello", None)
        assert answer.choices[0].finish_reason == "stop"
        assert model.asked[0].question.task == "fix"
        assert model.asked[0].question.sketch_tokens == 9
        asked_for: Any = {"model": "team/model", "messages": TASK, "stream_options": {"include_usage": True}}
        chunks = [chunk async for chunk in await chats.create(**asked_for, stream=True)]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == "hello"
        assert chunks[0].choices[0].delta.role == "assistant"
        assert chunks[-1].usage
        assert chunks[-1].usage.total_tokens == 6
        async with chats.stream(model="team/model", messages=TASK) as stream:  # type: ignore[arg-type]
            final = await stream.get_final_completion()
        assert final.choices[0].message.content == "hello"

    model = Repeating()
    asked(work, model)


def test_the_official_client_completes() -> None:
    async def work(client: Client) -> None:
        completions = official(client).completions
        answer = await completions.create(model="team/model", prompt=["fn"], stop=["a", "b"])
        assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("hel", "length")
        assert model.asked[0].stops == ["a", "b"]
        chunks = [chunk async for chunk in await completions.create(model="team/model", prompt="fn", stream=True)]
        assert [chunk.choices[0].text for chunk in chunks] == ["hel", ""]
        assert chunks[-1].choices[0].finish_reason == "length"

    model = Repeating(BEGIN, AnswerPart("hel"), CUT)
    asked(work, model)


@pytest.mark.parametrize("model", [Repeating(), Repeating(BEGIN, AnswerPart("hel"), CUT)])
def test_answers_are_of_the_official_types(model: Repeating) -> None:
    """OpenAI's Python client takes what it gets; those of other languages insist on the fields."""
    from openai.types import Completion
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

    ask = {"messages": TASK, "prompt": "fn"}
    chat = posted("/v1/chat/completions", ask, model).json()
    ChatCompletion.model_validate(chat)
    assert chat["choices"][0]["message"].keys() == {"role", "content", "refusal"}
    Completion.model_validate(posted("/v1/completions", ask, model).json())
    for line in posted("/v1/chat/completions", {**ask, "stream": True}, model).text.splitlines():
        if line.startswith("data: {"):
            ChatCompletionChunk.model_validate_json(line.removeprefix("data: "))


def test_usage_is_null_in_a_stream_until_its_end() -> None:
    text = posted("/v1/chat/completions", {"messages": TASK, "stream": True, "stream_options": {"include_usage": True}})
    chunks = [json.loads(line[6:]) for line in text.text.splitlines() if line.startswith("data: {")]
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * 3
    assert chunks[-1]["usage"] == {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    plain = posted("/v1/chat/completions", {"messages": TASK, "stream": True})
    assert "usage" not in plain.text


def test_an_error_is_about_the_form_that_was_meant() -> None:
    error = posted("/v1/completions", {"prompt": [1, 2]}).json()["error"]
    assert error["param"] == "prompt"
    assert "prompt.text" not in error["message"]


def test_a_stream_that_fails_raises_in_the_client() -> None:
    async def work(client: Client) -> None:
        import openai

        stream = await official(client).chat.completions.create(model="team/model", messages=TASK, stream=True)  # type: ignore[call-overload]
        with pytest.raises(openai.APIError, match="a defect of Gitlore"):
            [chunk async for chunk in stream]

    asked(work, Repeating(*HELLO[:2], RuntimeError("secret")))
