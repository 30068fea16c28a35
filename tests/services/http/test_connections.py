"""Connections to a server in this process: slow headers, too many, unread answers."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest
import pytest_socket
from builders import wait_for
from fastapi import FastAPI
from starlette.responses import PlainTextResponse, StreamingResponse

from services.http import connections
from services.http.connections import BoundedConnection, allow_connections
from services.listening import bound, server_of

ASK = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server that allows few connections and little time."""
    monkeypatch.setattr(connections, "HEADER_S", 0.3)
    monkeypatch.setattr(connections, "UNREAD_S", 0.3)
    app = FastAPI()

    @app.get("/health")
    async def health() -> PlainTextResponse:
        return PlainTextResponse("ok")

    @app.post("/refused")
    async def refused() -> PlainTextResponse:
        return PlainTextResponse("no", 401)

    @app.get("/long")
    async def long() -> StreamingResponse:
        return StreamingResponse(b"x" * 100_000 for _ in range(1000))

    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1"])
    server = server_of(app)
    monkeypatch.setattr(BoundedConnection, "most", 20)
    server.config.limit_concurrency = 21
    with bound("127.0.0.1", 0) as place:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        wait_for(lambda: server.started)
        yield int(place.getsockname()[1])
        server.should_exit = True
        thread.join()
    pytest_socket.disable_socket(allow_unix_socket=True)


def connect(port: int, sent: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=20)
    made.sendall(sent)
    return made


def status(made: socket.socket) -> int:
    """Of the next answer; 0 where the connection is closed."""
    answer = HTTPResponse(made)
    try:
        answer.begin()
        answer.read()
    except ConnectionError:
        return 0
    return answer.status


@pytest.mark.parametrize("sent", [b"", b"GET /health HT", ASK[:-2], b"POST /refused HTTP/1.1\r\nHost: loc"])
def test_a_connection_without_a_whole_header_is_closed(port: int, sent: bytes) -> None:
    with connect(port, sent) as made:
        assert status(made) == 0


def test_a_header_that_comes_byte_by_byte_is_late_too(port: int) -> None:
    with connect(port) as made, contextlib.suppress(ConnectionError):
        begin = time.monotonic()
        while time.monotonic() < begin + 20:
            made.sendall(b"G")
            time.sleep(0.02)
            made.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                assert made.recv(1) == b""
                return
            made.setblocking(True)
        pytest.fail("the connection was not closed")


def test_a_connection_is_kept_between_requests_but_not_for_half_of_one(port: int) -> None:
    with connect(port, ASK) as made:
        assert status(made) == 200
        time.sleep(0.5)  # longer than a header may take
        made.sendall(ASK)
        assert status(made) == 200
        made.sendall(ASK[:10])
        assert status(made) == 0


def test_two_requests_at_once_are_both_answered(port: int) -> None:
    with connect(port, ASK + ASK) as made:
        received = b""
        for part in iter(lambda: made.recv(65_536), b""):
            received += part
            if received.count(b"ok") == 2:
                break
        assert received.count(b"200 OK") == 2


def test_a_body_that_is_not_asked_for_is_not_waited_for(port: int) -> None:
    with connect(port, b"POST /refused HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n") as made:
        assert status(made) == 401
        made.sendall(b"12345")
        assert status(made) == 0


def test_many_silent_connections_keep_nobody_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADER_S", 60.0)
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect(port, ASK[: number % 20])) for number in range(60)]
        with connect(port, ASK) as made:
            assert status(made) == 200
        assert status(silent[0]) == 0  # gave way
        silent[-1].sendall(ASK[59 % 20 :])
        assert status(silent[-1]) == 200


def test_kept_connections_give_way_too(port: int) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            kept = stack.enter_context(connect(port, ASK))
            assert status(kept) == 200
        assert len(BoundedConnection._silent) <= 20


def test_an_answer_that_is_not_read_is_ended(port: int) -> None:
    with connect(port, b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n") as made:

        def is_closed() -> bool:
            try:
                made.sendall(b"x")
            except ConnectionError:
                return True
            return False

        wait_for(is_closed, 20)


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "room"),
    [
        (256, resource.RLIM_INFINITY, (1200, resource.RLIM_INFINITY), 1000),
        (1024, 4096, (1200, 4096), 1000),
        (1024, 1024, None, 824),
        (20_000, 20_000, None, 1000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, 1000),
        (100, 100, None, 50),
    ],
)
def test_as_many_files_are_allowed_as_connections_need(
    soft: int, hard: int, raised: tuple[int, int] | None, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: set_to.append(limits))
    assert allow_connections() == room
    assert set_to == ([raised] if raised else [])
