"""The socket of the service."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import pytest_socket

from core.errors import UserError
from services.listening import bound


@pytest.fixture(autouse=True)
def sockets() -> Iterator[None]:
    pytest_socket.enable_socket()
    yield
    pytest_socket.disable_socket(allow_unix_socket=True)


def test_small_answers_are_sent_at_once() -> None:
    """By this asyncio knows the sockets on which it sets TCP_NODELAY."""
    with bound("127.0.0.1", 0) as place:
        assert place.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with bound("127.0.0.1", 0) as place, pytest.raises(UserError, match="cannot be listened on"):
        bound("127.0.0.1", place.getsockname()[1])


@pytest.mark.parametrize("host", ["x" * 300, "no host", "\ud800", ":::"])
def test_a_name_of_no_host_is_a_sentence(host: str) -> None:
    with pytest.raises(UserError, match="cannot be listened on"):
        bound(host, 0)
