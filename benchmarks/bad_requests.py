"""Bad requests: broken HTTP, broken JSON, fields of wrong types and sizes, hostile names, paths and forms of pages."""

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
from urllib.parse import urlencode

REPO = "repo"
"""What the service calls its repository."""
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
    "/chat": {"question": "where is the retry?", "repo": REPO, "commit": "", "answer_id": "", "stream": False},
    f"/index/{REPO}/initial": {"commit": "HEAD~1"},
    f"/index/{REPO}/diff": {"commit": ""},
    "/feedback": {"answer_id": "ans_0", "useful": True, "comment": "good"},
    "/learning/toggle": {"repo_id": REPO, "on": False, "budgets": {"cpu_minutes": 1}, "kinds": ["risk"]},
    "/insights/1/mark": {"state": "kept"},
    "/mcp": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ask", "arguments": {}}},
}
TOOLS: Final[Mapping[str, dict[str, Any]]] = {
    "predict_files": {"task": "fix", "changed": ["a.py"], "files": ["*"], "top": 3},
    "what_did_i_forget": {"diff": "diff --git a/a.py b/a.py\n"},
    "explain_change": {"commit": "HEAD"},
    "file_history": {"path": "a.py"},
    "search_code": {"query": "retry", "top": 3},
    "get_context": {"of": "a.py:1-2"},
    "ask": {"question": "who knows a.py?", "follows": ""},
    "who_knows": {"of": "a.py"},
    "why_changed": {"of": "a.py"},
    "insights": {"about": "a.py", "kind": "risk", "top": 3},
    "risk": {"path": "a.py", "top": 3},
    "function_card": {"of": "a.py:x"},
}
PAGES = (
    *("/", "/repositories/{}", "/repositories/{}/state", "/repositories/{}/commits/{}", "/repositories/{}/files/{}/{}"),
    *("/repositories/{}/files/{}/{}?lines={}", "/answers/{}", "/answers/{}/why", "/questions/{}", "/static/{}"),
    *(
        "/sign-in",
        "/index/status?{}={}",
        "/runs/{}",
        "/runs/{}/log",
        "/artifacts/{}",
        "/insights?{}={}",
        "/risks?{}={}",
    ),
    *("/study/{}", "/study/{}/files/{}", "/study/{}/jobs/{}", "/study/{}/risks?folder={}", "/study/{}?filter={}"),
)
FORMS: Final[Mapping[str, str]] = {
    "/repositories/{}/questions": "question",
    "/repositories/{}/index": "",
    "/answers/{}/feedback": "useful",
    "/sign-in": "key",
    "/index/{}/diff": "commit",
    "/study/{}/insights/{}": "state",
    "/study/{}/jobs/{}/{}": "",
    "/study/{}/settings": "quiet_hours",
}
"""Paths with the field of each."""
IN_PATHS = (
    *(REPO, "HEAD", "README.md", "3-9", "..", "../../../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5c"),
    *("%00", "%0a", "%ff", "%e2%80%ae", "%", ".git/config", ":/x", "HEAD:x", "HEAD^{tree}", "-x", "--output=x", "/"),
    *(
        "0" * 40,
        "f" * 40,
        "0" * 64,
        "x" * 5_000,
        "%F0%9F%A6%80" * 300,
        "1-" + "9" * 5_000,
        "-1--2",
        "9-3",
        "",
        "*",
        "?",
    ),
    *(
        "<script>",
        "{{7*7}}",
        "ans_" + "0" * 24,
        "http://localhost/",
        "//evil.example",
        "%2f%2fevil.example",
        "pages.py",
    ),
)
QUESTIONS = (
    *("where is the retry?", "who calls a?", "why was a.py changed?", "when did a come in?", "what is new?", "and it?"),
    *(
        "what changed since 9999-99-99?",
        "a.py:9-3",
        "a.py:0-99999999@HEAD",
        "who knows -x?",
        "what calls " + "a" * 1_900,
    ),
    *(
        "where " * 333,
        "`" * 2_000,
        "(" * 2_000,
        "a.b" * 600,
        "\\" * 2_000,
        "where is 💥\u202e\0?",
        "%s%n{0}",
        "?" * 2_000,
    ),
    *("why was " + "../" * 600 + " changed?", "x" * 2_001, "x" * 100_000, "what changed since HEAD~99999999?", " "),
)
ACCEPTED = ("text/html", "*/*", "text/html,application/json", "", "x" * 5_000)
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
    path, body = _good(chance)
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


def _good(chance: random.Random) -> tuple[str, Any]:
    """A path and a copy of what is asked there."""
    path = chance.choice((*BODIES, *["/mcp"] * 3))  # it has several tools
    body = json.loads(json.dumps(BODIES[path]))
    if path == "/mcp":
        name = chance.choice(list(TOOLS))
        body["params"] = {"name": name, "arguments": json.loads(json.dumps(TOOLS[name]))}
    elif path == "/chat":
        body |= {"question": chance.choice(QUESTIONS), "stream": chance.random() < 0.5}
    return path, body


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def _broken_json(chance: random.Random) -> bytes:
    path, body = _good(chance)
    good = json.dumps(body).encode()
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


def _wrong_pages(chance: random.Random) -> bytes:
    """A page that a browser asks for, or that htmx does, with something else in its address."""
    path = _filled(chance.choice(PAGES), chance)
    part = "HX-Request: true\r\n" if chance.random() < 0.3 else ""
    header = f"Host: localhost\r\nAccept: {chance.choice(ACCEPTED)}\r\n{part}"
    return f"{chance.choice(('GET', 'GET', 'HEAD'))} {path} HTTP/1.1\r\n{header}\r\n".encode("latin-1", "replace")


def _wrong_forms(chance: random.Random) -> bytes:
    """A form with a question of any kind, or fields that are none."""
    form = chance.choice((*FORMS, *list(FORMS)[:1] * 2))
    values = (*QUESTIONS, *(one for one in VALUES if isinstance(one, str)))
    fields = [(FORMS[form], chance.choice(values)), (chance.choice(("x", "question", "")), chance.choice(values))]
    good = urlencode(fields[: chance.randint(0, 2)], errors="surrogatepass").encode()
    body = chance.choice((good, good, good, b"&" * 5_000, b"question=%ff%00", b"=" * 3_000, b"a=1&" * 50, b"question"))
    part = ["HX-Request: true"] if chance.random() < 0.5 else []
    return post(_filled(form, chance), body, *part, kind="application/x-www-form-urlencoded")


def _filled(path: str, chance: random.Random) -> str:
    """A path whose gaps hold something, the first mostly what is there."""
    while "{}" in path:
        path = path.replace("{}", REPO if "{}/" in path and chance.random() < 0.7 else chance.choice(IN_PATHS), 1)
    return path


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
    ("wrong pages", _wrong_pages),
    ("wrong values", _wrong_values),
    ("wrong forms", _wrong_forms),
    ("wrong request lines", _wrong_lines),
    ("wrong bytes", _wrong_bytes),
)
