"""Hosts and origins, in front of an application that answers anything."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from services.http.origins import OriginGuard, is_loopback


async def welcome(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("welcome")(scope, receive, send)


def asked(host: str | None, origin: str | None = None, *, loopback_only: bool = True) -> int:
    """The status of an answer; a client would refuse to send some of these headers."""
    given = {b"host": host, b"origin": origin}
    headers = [(name, value.encode("latin-1")) for name, value in given.items() if value is not None]
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing is to be read")

    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    asyncio.run(OriginGuard(welcome, loopback_only=loopback_only)(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:8000", "127.0.0.1:8000", "127.0.0.2", "[::1]", "[::1]:8000", "localhost:"]
)
def test_this_machine_is_reached_by_its_own_names(host: str) -> None:
    assert asked(host) == 200
    assert asked(host, f"http://{host}".upper()) == 200
    assert asked(host, "http://evil.example") == 403
    assert asked(host, "null") == asked(host, "") == asked(host, f"http://evil.example@{host}") == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "10.0.0.1:8000", "0.0.0.0", "[::2]", "[::ffff:10.0.0.1]", "", "127.1"],
)
def test_another_name_is_one_that_a_site_may_have_taken(host: str) -> None:
    assert asked(host) == 421
    assert asked(host, loopback_only=False) == 200


@pytest.mark.parametrize(
    "host", ["[", "]", "[::1", "[]", "[x]", "a@localhost", "localhost/x", "a b", "localhost:x", "a:b:c"]
)
@pytest.mark.parametrize("loopback_only", [True, False])
def test_what_names_no_host_is_refused(host: str, loopback_only: bool) -> None:
    assert asked(host, loopback_only=loopback_only) == 400


@pytest.mark.parametrize(
    "origin", ["http://[", "[", "://", "http://\xff", "http://[::1", "x" * 10_000, "http://team.example:80"]
)
def test_what_names_no_origin_of_ours_is_refused(origin: str) -> None:
    assert asked("team.example", origin, loopback_only=False) == 403


def test_a_request_without_a_host_comes_from_no_page() -> None:
    assert asked(None, loopback_only=False) == 200
    assert asked(None, "http://", loopback_only=False) == 403
    assert asked(None) == 421


def test_addresses_of_all_interfaces_are_not_this_machine_alone() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("::")
    assert not is_loopback("host")
