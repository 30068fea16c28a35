"""/v1/responses, asked by OpenAI's own client and by hand."""

from __future__ import annotations

import json
from typing import Any

import httpx2 as httpx
import pytest
from answerers import BEGIN, CUT, HELLO, Repeating, asked, official

from core.errors import UserError
from core.prediction.question import MOST_TOKENS
from services.answers import AnswerPart

Client = httpx.AsyncClient
EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    *["response.output_text.delta"] * 2,
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]
BY_DEFAULT = {
    "store": True,
    "background": False,
    "stream": False,
    "include": [],
    "metadata": {"flow": "7"},
    "truncation": "disabled",
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "parallel_tool_calls": True,
    "reasoning": None,
    "user": "somebody",
    "service_tier": "auto",
    "previous_response_id": None,
    "conversation": None,
    "prompt": None,
    "temperature": None,
    "top_p": None,
    "top_logprobs": 0,
    "max_output_tokens": None,
    "a_field_of_tomorrow": {"new": True},
}
"""What n8n and other clients send without being told to."""


def posted(body: dict[str, Any], model: Repeating | None = None) -> httpx.Response:
    async def work(client: Client) -> httpx.Response:
        return await client.post("/v1/responses", json={"input": "fix", **body})

    return asked(work, model)


def events(answer: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """Names and data of all events."""
    found = [block.split("\n") for block in answer.text.split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in found]


def test_the_official_client_reads_a_response() -> None:
    async def work(client: Client) -> None:
        answer = await official(client).responses.create(model="team/model", input="fix", instructions="be brief")
        assert answer.output_text == "hello"
        assert (answer.status, answer.error, answer.incomplete_details) == ("completed", None, None)
        assert answer.instructions == "be brief"
        assert answer.usage
        assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (4, 2, 6)
        assert answer.output[0].id

    asked(work)


def test_the_official_client_follows_a_stream() -> None:
    async def work(client: Client) -> None:
        async with official(client).responses.stream(model="team/model", input="fix") as stream:
            events = [event async for event in stream]
            final = await stream.get_final_response()
        deltas = [(one.delta, one.snapshot) for one in events if one.type == "response.output_text.delta"]
        assert deltas == [("hel", "hel"), ("lo", "hello")]
        assert final.output_text == "hello"
        plain = [event.type async for event in await official(client).responses.create(input="fix", stream=True)]
        assert plain == EVENTS

    asked(work)


def test_events_are_numbered_and_hold_what_the_whole_answer_holds() -> None:
    found = events(posted({"stream": True}))
    assert [name for name, _ in found] == [data["type"] for _, data in found] == EVENTS
    assert [data["sequence_number"] for _, data in found] == list(range(len(EVENTS)))
    whole, last = posted({}).json(), found[-1][1]["response"]
    assert whole.keys() == last.keys()
    assert (last["status"], last["usage"]) == ("completed", whole["usage"])
    added, done = found[2][1]["item"], found[-2][1]["item"]
    assert (added["status"], added["content"]) == ("in_progress", [])
    assert last["output"] == [done]
    assert {data["item_id"] for _, data in found if "item_id" in data} == {added["id"]} == {done["id"]}
    assert len({data["response"]["id"] for _, data in found if "response" in data}) == 1
    assert found[0][1]["response"]["output"] == []


@pytest.mark.parametrize("model", [Repeating(), Repeating(BEGIN, AnswerPart("hel"), CUT)])
def test_answers_are_of_the_official_types(model: Repeating) -> None:
    """OpenAI's Python client takes what it gets; those of other languages insist on the fields."""
    from openai.types.responses import Response, ResponseStreamEvent
    from pydantic import TypeAdapter

    Response.model_validate(posted({"instructions": "be brief", "metadata": {"a": "b"}}, model).json())
    of_a_stream: TypeAdapter[object] = TypeAdapter(ResponseStreamEvent)
    for _, data in events(posted({"stream": True}, model)):
        of_a_stream.validate_python(data)


def test_an_answer_that_was_cut_is_incomplete() -> None:
    model = Repeating(BEGIN, AnswerPart("hel"), CUT)
    whole, streamed = posted({"max_output_tokens": 2}, model).json(), events(posted({"stream": True}, model))
    assert whole["max_output_tokens"] == 2
    assert streamed[-1][0] == "response.incomplete"
    for answer in (whole, streamed[-1][1]["response"]):
        assert (answer["status"], answer["output"][0]["status"]) == ("incomplete", "incomplete")
        assert answer["incomplete_details"] == {"reason": "max_output_tokens"}
        assert answer["completed_at"] is None


def test_what_clients_send_by_default_is_taken() -> None:
    answer = posted(BY_DEFAULT)
    assert answer.status_code == 200, answer.text
    assert answer.json()["metadata"] == {"flow": "7"}
    assert answer.json()["store"] is False
    assert posted({"tool_choice": "none"}).json()["tool_choice"] == "none"


@pytest.mark.parametrize(
    "given",
    [
        "fix the timeout",
        [{"role": "user", "content": "fix the timeout"}],
        [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "fix the timeout"}]}],
        [
            {"role": "developer", "content": "be brief"},
            {"role": "user", "content": "an earlier task"},
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "an answer", "annotations": [], "logprobs": []}],
            },
            {"role": "user", "content": [{"type": "input_text", "text": "fix the timeout"}, {"type": "input_image"}]},
        ],
    ],
)
def test_the_last_message_of_the_user_is_the_task(given: object) -> None:
    model = Repeating()
    answer = posted({"input": given, "max_output_tokens": 7, "temperature": 0.5, "top_p": 0.25}, model)
    assert answer.status_code == 200, answer.text
    question = model.asked[0].question
    assert (question.task, question.sketch_tokens) == ("fix the timeout", 7)
    assert (question.temperature, question.top_p) == (0.5, 0.25)
    assert (answer.json()["temperature"], answer.json()["top_p"]) == (0.5, 0.25)


def test_more_tokens_than_a_sketch_can_have_are_taken_as_those_it_can() -> None:
    model = Repeating()
    assert posted({"input": "fix", "max_output_tokens": 128_000}, model).json()["max_output_tokens"] == 128_000
    assert model.asked[0].question.sketch_tokens == MOST_TOKENS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("background", True),
        ("previous_response_id", "resp_1"),
        ("conversation", "conv_1"),
        ("conversation", {"id": "conv_1"}),
        ("prompt", {"id": "pmpt_1"}),
        ("tools", [{"type": "web_search"}]),
        ("tool_choice", "required"),
        ("tool_choice", {"type": "function", "name": "f"}),
        ("text", {"format": {"type": "json_object"}}),
        ("text", {"format": {"type": "json_schema", "name": "s", "schema": {}}}),
        ("include", ["message.output_text.logprobs"]),
        ("top_logprobs", 2),
        ("input", [{"type": "item_reference", "id": "msg_1"}]),
        ("input", [{"type": "function_call_output", "call_id": "c", "output": "o"}]),
    ],
)
def test_what_is_not_offered_is_refused_with_a_sentence(field: str, value: object) -> None:
    model = Repeating()
    answer = posted({field: value}, model)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, field, "unsupported_value"), error
    assert error["type"] == "invalid_request_error"
    assert "leave this out" in error["message"]
    assert model.asked == []


@pytest.mark.parametrize(
    "body",
    [{"input": []}, {"input": None}, {"input": 5}, {"max_output_tokens": 0}, {"metadata": {"a": 1}}, {"top_p": 2}],
)
def test_what_is_wrong_is_refused(body: dict[str, Any]) -> None:
    answer = posted(body)
    assert answer.status_code == 422
    assert answer.json()["error"]["param"] == next(iter(body))
    assert answer.json()["error"]["code"] == "invalid_value"


def test_nothing_is_stored() -> None:
    async def work(client: Client) -> None:
        import openai

        responses = official(client).responses
        made = await responses.create(model="team/model", input="fix", store=True)
        calls = (responses.retrieve, responses.delete, responses.cancel, responses.input_items.list)
        for call in calls:
            with pytest.raises(openai.NotFoundError) as raised:
                await call(made.id)
            assert (raised.value.code, raised.value.param) == ("response_not_found", "response_id")
            assert made.id in raised.value.message

    asked(work)


@pytest.mark.parametrize(
    ("error", "message", "kind"),
    [
        (UserError("the task is too long"), "the task is too long", "invalid_request_error"),
        (RuntimeError("secret"), "RuntimeError: this is a defect of Gitlore", "server_error"),
    ],
)
def test_a_stream_that_fails_says_so_where_clients_look(error: Exception, message: str, kind: str) -> None:
    model = Repeating(*HELLO[:2], error)
    name, last = events(posted({"stream": True}, model))[-1]
    assert (name, last["type"], last["message"]) == ("error", "error", message)
    assert last["error"] == {"message": message, "type": kind, "param": None, "code": None}
    assert last["sequence_number"] == 5

    async def work(client: Client) -> None:
        import openai

        with pytest.raises(openai.APIError, match=message):
            [event async for event in await official(client).responses.create(input="fix", stream=True)]

    asked(work, model)


def test_an_error_before_the_first_word_keeps_its_status() -> None:
    answer = posted({"stream": True}, Repeating(UserError("the task is too long")))
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "the task is too long")
