"""Bad requests: broken HTTP, broken JSON, fields of wrong types and sizes, hostile names."""

from __future__ import annotations

import copy
import json
import random
import select
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, Final

SLOWEST_S = 10.0
HALF_S = 0.2
"""How long an answer to what may be half a request is waited for before the other half is given up."""
CLOSED = 0
"""In place of a status: the connection was closed."""
BODIES: Final[Mapping[str, dict[str, Any]]] = {
    "/predict": {"task": "fix", "changed": ["a.py"], "files": ["*.py"], "top": 3, "at": "HEAD", "top_p": 1, "seed": 1},
    "/v1/completions": {"prompt": "fn", "max_tokens": 4, "stop": ["a"], "seed": 1, "stream": False},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": [{"type": "text", "text": "fix"}]}], "stop": "a"},
    "/v1/responses": {"input": "fix", "instructions": "be brief", "stream": True},
    "/mcp": {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": "predict_files",
            "arguments": {"task": "fix", "changed": ["a.py"], "files": ["*"], "top": 3},
        },
    },
}
VALUES: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 2, 0.5, 1e308, -(2**63), 2**63, 2**64, 10**400, float("nan"), float("inf"), 1e-300),
    *("", " ", "\0", "\ud800", "a\udfff", "\u202e", "🦀" * 500, "x" * 5_000, "x" * 70_000, "é" * 3_000),
    *("[" * 300, "*a" * 127, "[!" * 100, "sk-" * 5_000, "../../etc/passwd", "/etc/passwd", "-x", "--all"),
    *("--upload-pack=x", ":/x", "HEAD^{/(a*)*b}", "HEAD:x", "HEAD~99999999", "@{-1}", "HEAD@{99 years ago}", "a\nb"),
    *("\r\n\r\n", "diff --git a/x b/x", [], {}, [[]], [{}], [None], ["*"] * 200, ["x"] * 2_000),
    *(["x" * 4_096] * 100, {"type": "text"}, {"a": {"b": {"c": []}}}, [[[[[[[[]]]]]]]]),
)
PATHS = (
    *("/", "/predict/", "//predict", "/predict%00", "/%2e%2e/docs", "/../../etc/passwd", "/docs/../health", "*", "x"),
    *("http://localhost/health", "http://[/health", "/v1/models/" + "x" * 5_000, "/v1/models/%ff", "/v1/responses/x"),
    *("/health?" + "a=b&" * 5_000, "/openapi.json?%", "/health#x", "/mcp", "/docs", "/\xe9", "/predict?task=%00"),
    *("/health/", "/openapi.json", "/predict", "/v1/completions"),
)
METHODS = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "X" * 300, "", "POST")
HOSTS = (
    *("localhost",) * 4,
    *("[", "]", "[::1", "localhost:99999999", "a@localhost", "", "evil.example", "x" * 9_000, "é"),
)


@dataclass(frozen=True)
class BadRequest:
    """What is sent on a connection; `kind` tells what is bad about it."""

    kind: str
    sent: bytes
    may_be_half: bool

    def ask(self, port: int) -> int:
        """The status that this machine's service at `port` answers with, or CLOSED. Raises TimeoutError."""
        with socket.create_connection(("127.0.0.1", port), timeout=SLOWEST_S) as made:
            answer = HTTPResponse(made, method=self.sent.partition(b" ")[0].decode("latin-1"))
            try:
                made.sendall(self.sent)
                if self.may_be_half and not select.select([made], [], [], HALF_S)[0]:
                    made.shutdown(socket.SHUT_WR)  # nothing more will come
                answer.begin()
                answer.read()
            except (ConnectionError, HTTPException):
                return CLOSED
            return answer.status


def bad_requests(seed: int, count: int) -> Iterator[BadRequest]:
    """So many of all kinds in turn; the same for the same seed."""
    chance = random.Random(seed)
    for number in range(count):
        kind, make = _KINDS[number % len(_KINDS)]
        yield BadRequest(kind, make(chance), make in (_wrong_headers, _wrong_bytes))


def post(path: str, body: bytes, *headers: str, kind: str = "application/json") -> bytes:
    """A request with a body."""
    accept = "Accept: application/json, text/event-stream"
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", accept, f"Content-Type: {kind}", *headers]
    if not any(header.lower().startswith(("content-length", "transfer-encoding")) for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def _wrong_values(chance: random.Random) -> bytes:
    """One to three places of a good body hold something else, or are gone, or are new."""
    path = chance.choice(list(BODIES))
    body = json.loads(json.dumps(BODIES[path]))
    for _ in range(chance.randint(1, 3)):
        holder, key = chance.choice(list(_places(body)))
        match chance.randrange(6):
            case 0 if isinstance(holder, dict):
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[chance.choice(("at", "model", "stop", "seed", "author", "temperature", "unknown", "", "n"))] = (
                    copy.deepcopy(chance.choice(VALUES))
                )
            case 2:
                holder[key] = [holder[key]]
            case _:
                holder[key] = copy.deepcopy(chance.choice(VALUES))
        if not body:
            break
    return post(path, json.dumps(body).encode())


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def _broken_json(chance: random.Random) -> bytes:
    path = chance.choice(list(BODIES))
    good = json.dumps(BODIES[path]).encode()
    place = chance.randrange(len(good))
    broken = (
        good[:place],
        good[:place] + bytes([chance.randrange(256)]) + good[place + 1 :],
        good + good,
        b"\xef\xbb\xbf" + good,
        good.decode().encode("utf-16"),
        b"\xff" * place,
        b"[" * 100_000,
        b'{"task":' * 5_000,
        b'{"task": "a", "task": 1}',
        b'{"top": ' + b"9" * 5_000 + b"}",
        b'{"temperature": 1e999}',
        b"null",
        b'"text"',
        b"[]",
        b"",
    )
    return post(path, chance.choice(broken))


def _wrong_headers(chance: random.Random) -> bytes:
    body = json.dumps(BODIES["/predict"]).encode()
    headers = chance.choice(
        (
            [f"Content-Length: {chance.choice((-1, '+5', '0x10', 10**30, '', 'x', '5, 6'))}"],
            [f"Content-Length: {len(body) + 100}"],
            [f"Content-Length: {len(body) // 2}"],
            ["Content-Length: 5", "Content-Length: 6"],
            ["Content-Length: 5", "Transfer-Encoding: chunked"],
            ["Transfer-Encoding: chunked"],
            ["Transfer-Encoding: gzip, chunked"],
            ["Content-Encoding: gzip"],
            ["Expect: 100-continue"],
            ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13"],
            ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"],
            [f"Origin: {chance.choice(('http://[', 'null', '', 'http://localhost:x', 'é', '://', 'x' * 9_000))}"],
            [f"Authorization: {chance.choice(('', 'Bearer', 'Bearer é', 'Basic Og==', 'x' * 9_000))}"],
            [f"Header-{number}: {'x' * chance.randrange(600)}" for number in range(200)],
            ["no colon"],
            [": no name"],
            ["Folded: a", " b"],
            ["Null: a\0b"],
        )
    )
    kinds = ("application/json", "text/plain", "", "multipart/form-data", "application/json; charset=x", "a/b/c", "*")
    return post("/predict", body, *headers, kind=chance.choice(kinds))


def _wrong_lines(chance: random.Random) -> bytes:
    method, path, host = chance.choice(METHODS), chance.choice(PATHS), chance.choice(HOSTS)
    version = chance.choice(("HTTP/1.1",) * 5 + ("HTTP/1.0", "HTTP/2.0", "HTTP/9", "http/1.1", ""))
    return f"{method} {path} {version}\r\nHost: {host}\r\n\r\n".encode("latin-1")


def _wrong_bytes(chance: random.Random) -> bytes:
    good = post("/predict", json.dumps(BODIES["/predict"]).encode())
    place = chance.randrange(len(good))
    return chance.choice(
        (
            good[:place],
            good[:place] + chance.randbytes(8) + good[place:],
            chance.randbytes(place),
            b"\r\n" * place + good,
            good.replace(b"\r\n", b"\n"),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nx: " + b"x" * 100_000,
            good + good[:place],
        )
    )


_KINDS: tuple[tuple[str, Callable[[random.Random], bytes]], ...] = (
    ("wrong values", _wrong_values),
    ("broken JSON", _broken_json),
    ("wrong values", _wrong_values),
    ("wrong headers", _wrong_headers),
    ("wrong values", _wrong_values),
    ("wrong request lines", _wrong_lines),
    ("wrong bytes", _wrong_bytes),
)
