"""A language model behind OpenAI's API whose answer is given, on this machine."""

from __future__ import annotations

import contextlib
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Model(ThreadingHTTPServer):
    """A language model whose answer is given."""

    says = "`discount` takes a tenth [1]."
    status = 200
    location = ""
    """Where it redirects to."""
    drips = False
    """A blank every 20 ms, and never an end."""
    headers = 0
    """That it has still to send, one every 20 ms."""
    body = b""
    """What it sends in the place of `says`; if it drips, again and again."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Model

    def do_POST(self) -> None:
        self.server.requests.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.server.keys.append(self.headers["authorization"])
        self.send_response(307 if self.server.location else self.server.status)
        if self.server.location:
            self.send_header("location", self.server.location)
        self.send_header("content-type", "text/event-stream")
        with contextlib.suppress(ConnectionError):
            while self.server.headers:
                self.server.headers -= 1
                self.send_header("x-wait", "1")
                self.flush_headers()
                time.sleep(0.02)
            self.end_headers()
            self._send(self.server.says)
            while self.server.drips:
                self._send(" ")
                time.sleep(0 if len(self.server.body) > 100 else 0.02)
            self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, text: str) -> None:
        if self.server.body:
            self.wfile.write(self.server.body)
        else:
            self._event(text)

    def _event(self, text: str) -> None:
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
        event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the standard library's
        pass
