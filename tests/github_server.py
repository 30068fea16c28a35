"""A GitHub of our own on localhost: it plays a script of answers, and remembers what it received."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What the server sends; `body` is JSON unless it is bytes."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    """What Content-Length states, where that is not true."""
    pause_s: float = 0.0
    """Seconds between each ten bytes of the body."""


@dataclass
class Received:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Script = Callable[[Received, int], Answer]
"""Gives the answer to a request; the number counts requests for the same path."""


@dataclass
class Server:
    """A running server."""

    url: str
    received: list[Received]

    def paths(self) -> list[str]:
        """What was requested, in order."""
        return [one.path for one in self.received]


@contextmanager
def serving(script: Script) -> Iterator[Server]:
    """Run the server while the block runs."""
    received: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            one = Received(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            number = sum(other.path == one.path and other.body == one.body for other in received)
            received.append(one)
            answer = script(one, number)
            content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            if answer.status == 304:
                content = b""
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json; charset=utf-8", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) if answer.length is None else answer.length))
            self.end_headers()
            if answer.pause_s:
                for start in range(0, len(content), 10):
                    self.wfile.write(content[start : start + 10])
                    self.wfile.flush()
                    time.sleep(answer.pause_s)
            else:
                self.wfile.write(content)
            if answer.length is not None:
                self.close_connection = True

        do_GET = do_POST = _answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: Any) -> None:
            """Be quiet."""

        def handle(self) -> None:
            with suppress(ConnectionError, TimeoutError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_address[1]}", received)
    finally:
        server.shutdown()
        server.server_close()


def repository(name: str = "octo/hello", **fields: Any) -> dict[str, Any]:
    """GitHub's answer about a repository, with more in it than anybody reads."""
    return {
        "id": 1296269,
        "node_id": "MDEwOlJlcG9zaXRvcnkxMjk2MjY5",
        "full_name": name,
        "clone_url": f"https://github.com/{name}.git",
        "stargazers_count": 80,
        "license": {"key": "mit", "spdx_id": "MIT", "url": None},
        "pushed_at": "2099-01-26T19:06:43Z",
        "topics": ["octocat", "api"],
        "something_new": {"nobody": "knows"},
        **fields,
    }
