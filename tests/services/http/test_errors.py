"""Errors as OpenAI's clients read them."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
import pytest
from answerers import Repeating, asked, official

from services.queue import BusyError, LateError

Client = httpx.AsyncClient
ASKED = ("POST", "/v1/completions", {"prompt": "fn"})


def answered(
    method: str, path: str, body: object = None, raised: Exception | None = None, key: str = ""
) -> httpx.Response:
    async def work(client: Client) -> httpx.Response:
        return await client.request(method, path, json=body)

    return asked(work, Repeating(raised) if raised else None, key)


@pytest.mark.parametrize(
    ("request_", "raised", "status", "error"),
    [
        (ASKED, BusyError(), 429, {"type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}),
        (ASKED, LateError(), 504, {"type": "timeout", "param": None, "code": None}),
        (ASKED, RuntimeError(), 500, {"type": "server_error", "param": None, "code": None}),
        (("GET", "/v1/nowhere"), None, 404, {"param": None, "code": "unknown_url"}),
        (("DELETE", "/v1/models/team/model"), None, 405, {"param": None, "code": "method_not_supported"}),
        (("GET", "/v1/chat/completions"), None, 405, {"param": None, "code": "method_not_supported"}),
        (("POST", "/v1/completions", {}), None, 422, {"param": "prompt", "code": "missing_required_parameter"}),
        (("POST", "/v1/completions", {"prompt": 1}), None, 422, {"param": "prompt", "code": "invalid_value"}),
        (("POST", "/predict", []), None, 422, {"param": None, "code": "invalid_value"}),
    ],
)
def test_each_error_has_a_sentence_a_type_a_field_and_a_code(
    request_: tuple[Any, ...], raised: Exception | None, status: int, error: dict[str, Any]
) -> None:
    answer = answered(*request_, raised=raised)
    found = answer.json()["error"]
    assert found.keys() == {"message", "type", "param", "code"}
    assert (answer.status_code, found) == (
        status,
        {"type": "invalid_request_error", **error, "message": found["message"]},
    )
    assert found["message"]


def test_what_is_not_json_is_about_no_field() -> None:
    async def work(client: Client) -> httpx.Response:
        return await client.post("/v1/completions", content="{", headers={"Content-Type": "application/json"})

    error = asked(work).json()["error"]
    assert (error["param"], error["code"]) == (None, None)


def test_other_methods_are_named_where_one_is_not_allowed() -> None:
    answer = answered("DELETE", "/v1/completions")
    assert answer.headers["Allow"] == "POST"
    assert answer.json()["error"]["message"] == "DELETE /v1/completions is not offered; /docs shows what is"


def test_a_long_path_is_not_repeated() -> None:
    assert len(answered("GET", "/v1/" + "x" * 5000).text) < 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {"input": "fix", "metadata": {"k" * 50_000: "v" * 600}}),
        ("/predict", {"k" * 50_000: 1}),
    ],
)
def test_a_long_name_in_a_body_is_not_repeated(path: str, body: object) -> None:
    answer = answered("POST", path, body)
    assert answer.status_code == 422
    assert len(answer.text) < 500


def test_what_is_not_offered_is_said_before_what_is_wrong() -> None:
    error = answered("POST", "/v1/responses", {"input": [{"type": "item_reference", "id": "msg_1"}]}).json()["error"]
    sentence = "messages alone are read, and nothing is stored to refer to; leave this out"
    assert error["message"] == f"input.0.type: {sentence}"


def test_a_busy_service_says_when_to_come_again() -> None:
    assert answered(*ASKED, raised=BusyError()).headers["Retry-After"] == "2"


def test_the_official_client_knows_a_wrong_key() -> None:
    async def work(client: Client) -> None:
        import openai

        with pytest.raises(openai.AuthenticationError) as raised:
            await official(client, "wrong").models.list()
        assert raised.value.code == "invalid_api_key"

    asked(work, key="right")
