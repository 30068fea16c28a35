"""Tools for agents, asked by the official client over both transports."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from builders import PROJECT, Repo
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from core.config import StudyConfig
from services.app import make_app
from services.chats import Chats
from services.http.limits import Limits
from services.served import Served, load_all
from services.studies import Studies

Work = Callable[[Client], Awaitable[Any]]
TASK = "step 12: handlers and notes"


@pytest.fixture(scope="module")
def served(forked: Repo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """It, served without a model."""
    (made,) = load_all([], {"": str(forked.path)}, tmp_path_factory.mktemp("cache"), 10).values()
    yield made
    made.close()


def over_http(served: Served, work: Work, *, key: str = "", headers: dict[str, str] | None = None) -> Any:
    """What a function gets with a client of /mcp."""

    async def inside() -> Any:
        chats = Chats.open({"": served.files.location}, served.files.cache_dir)
        studies = Studies.open(chats, served.files.cache_dir, StudyConfig())
        app = make_app({served.name: served}, Limits(), key, tools_about=served, chats=chats, studies=studies)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(app.router.lifespan_context(app))
            http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), headers=headers or {})
            await stack.enter_async_context(http)
            transport = streamable_http_client("http://test/mcp", http_client=http)
            return await work(await stack.enter_async_context(Client(transport)))

    return asyncio.run(inside())


def over_stdio(repo: Repo, cache: Path, work: Work) -> Any:
    """What a function gets with a client of `serve.py --mcp`."""
    line = [str(PROJECT / "serve.py"), "--mcp", "--repo", str(repo.path), "--cache-dir", str(cache), "--verbose"]

    async def inside() -> Any:
        with (cache / "stderr").open("w") as errors:
            server = StdioServerParameters(command=sys.executable, args=line, env=dict(os.environ))
            from mcp.client.stdio import stdio_client

            async with Client(stdio_client(server, errlog=errors)) as client:
                return await work(client)

    return asyncio.run(inside())


async def everything(client: Client) -> dict[str, Any]:
    """The tools, and what each answers."""
    listed = (await client.list_tools()).tools
    diff = "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1 +1 @@\n-a\n+b\n"
    calls: dict[str, dict[str, Any]] = {
        "predict_files": {"task": TASK},
        "what_did_i_forget": {"diff": diff},
        "explain_change": {"commit": "HEAD^1~1"},
        "file_history": {"path": "pkg/first.py"},
        "search_code": {"query": "handler", "top": 3},
        "get_context": {"of": "src/lib.rs:1-2"},
        "ask": {"question": "where are handlers?"},
        "who_knows": {"of": "src/lib.rs"},
        "why_changed": {"of": "src/lib.rs"},
        "insights": {},
        "risk": {"path": "src"},
        "function_card": {"of": "src/lib.rs"},
    }
    answers = {name: await client.call_tool(name, arguments) for name, arguments in calls.items()}
    assert not any(answer.is_error for answer in answers.values()), answers
    found = {name: answer.structured_content for name, answer in answers.items()}
    assert all(found[name].pop("answer_id") for name in ("ask", "who_knows", "why_changed"))  # another one each time
    return {"tools": listed, **found}


def test_both_transports_give_the_same(served: Served, forked: Repo, tmp_path: Path) -> None:
    one, other = over_http(served, everything), over_stdio(forked, tmp_path, everything)
    assert [tool.name for tool in one["tools"]] == [
        "predict_files",
        "what_did_i_forget",
        "explain_change",
        "file_history",
        "search_code",
        "get_context",
        "ask",
        "who_knows",
        "why_changed",
        "insights",
        "risk",
        "function_card",
    ]
    assert one == other
    assert "rev-parse" in (tmp_path / "stderr").read_text()  # --verbose shows on standard error, the protocol is alone


def test_tools_are_read_only_and_typed(served: Served) -> None:
    async def work(client: Client) -> Any:
        return (await client.list_tools()).tools

    for tool in over_http(served, work):
        assert tool.annotations.read_only_hint
        assert not tool.annotations.destructive_hint
        assert tool.output_schema["properties"]
        assert tool.description


def test_answers_rest_on_commits_that_exist(served: Served, forked: Repo) -> None:
    found = over_http(served, everything)
    head = forked.git("rev-parse", "HEAD")
    assert found["predict_files"]["at"] == found["file_history"]["at"] == head
    assert found["what_did_i_forget"]["mode"] == "change"
    assert "src/lib.rs" not in [file["name"] for file in found["what_did_i_forget"]["files"]]
    hashes = [
        *(hash_ for file in found["predict_files"]["files"] for why in file["reasons"] for hash_ in why["commits"]),
        *(change["commit"] for change in found["file_history"]["changes"]),
        *(hash_ for one in found["file_history"]["companions"] for hash_ in one["commits"]),
    ]
    assert hashes
    for one in set(hashes):
        assert len(one) == 40
        assert forked.git("cat-file", "-t", one) == "commit"


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("predict_files", {"task": "x" * 100_000}, "at most"),
        ("predict_files", {"top": 1000}, "less than or equal"),
        ("predict_files", {"files": ["no/*.such"]}, "no file of the repository matches"),
        ("what_did_i_forget", {"diff": "nothing"}, "not a diff"),
        ("explain_change", {"commit": "nowhere"}, "no commit is named"),
        ("explain_change", {"commit": "--all"}, "no commit is named"),
        ("explain_change", {"commit": ":/message"}, "not searched for"),
        ("file_history", {"path": "no/such.py"}, "changed a file named"),
        ("search_code", {"query": ""}, "at least 1"),
        ("get_context", {"of": "no_such_name"}, "search_code finds symbols"),
        ("get_context", {"of": "../../etc/passwd:1-2"}, "search_code finds symbols"),
        ("get_context", {"of": "src/lib.rs:9-3"}, "search_code finds symbols"),
        ("ask", {"question": "x" * 2001}, "at most 2000"),
    ],
)
def test_a_wrong_question_is_answered_with_a_sentence(
    served: Served, tool: str, arguments: dict[str, Any], says: str
) -> None:
    async def work(client: Client) -> Any:
        return await client.call_tool(tool, arguments)

    answer = over_http(served, work)
    assert answer.is_error
    assert says in answer.content[0].text


def test_the_key_guards_the_tools_too(served: Served) -> None:
    async def work(client: Client) -> int:
        return len((await client.list_tools()).tools)

    for headers in ({"Authorization": "Bearer secret"}, {"X-API-Key": "secret"}):
        assert over_http(served, work, key="secret", headers=headers) == 12
    with pytest.raises(BaseExceptionGroup):
        over_http(served, work, key="secret", headers={"X-API-Key": "wrong"})


def test_only_own_pages_reach_the_tools_and_the_rest(served: Served) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accepting = {"Accept": "application/json, text/event-stream"}

    async def inside() -> None:
        local = make_app({served.name: served}, Limits(), tools_about=served, loopback_only=True)
        shared = make_app({served.name: served}, Limits(), "secret", tools_about=served)
        async with local.router.lifespan_context(local), shared.router.lifespan_context(shared):
            for app, url, headers, status in (
                (local, "http://localhost:8000", {}, 200),
                (local, "http://127.0.0.1:8000", {"Origin": "http://127.0.0.1:8000"}, 200),
                (local, "http://[::1]:8000", {}, 200),
                (local, "http://evil.example:8000", {}, 421),
                (local, "http://localhost.evil.example", {}, 421),
                (local, "http://localhost:8000", {"Origin": "http://evil.example"}, 403),
                (local, "http://localhost:8000", {"Origin": "null"}, 403),
                (shared, "http://team.example", {"X-API-Key": "secret"}, 200),
                (shared, "http://team.example", {}, 401),
                (shared, "http://team.example", {"X-API-Key": "secret", "Origin": "http://evil.example"}, 403),
            ):
                transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
                async with httpx.AsyncClient(transport=transport, base_url=url) as client:
                    sent = {**accepting, **headers}
                    for path, asked in (("/mcp", body), ("/predict", {"sketch_tokens": 0})):
                        answer = await client.post(path, json=asked, headers=sent)
                        assert answer.status_code == status, (url, path, answer.text)
                        if status != 200:
                            assert answer.json()["error"]["message"]

    asyncio.run(inside())


def test_the_tools_have_one_method_and_a_bounded_body(served: Served) -> None:
    async def inside() -> None:
        app = make_app({served.name: served}, Limits(body_bytes=1000), tools_about=served)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            assert (await client.get("/mcp")).status_code == 405
            assert (await client.delete("/mcp")).status_code == 405
            assert (await client.post("/mcp", content=b"x" * 2000)).status_code == 413
            assert 400 <= (await client.post("/mcp", content=b"{")).status_code < 500

    asyncio.run(inside())


@pytest.mark.slow
def test_speaking_over_pipes_ends_with_the_input(forked: Repo, tmp_path: Path) -> None:
    line = [
        sys.executable,
        str(PROJECT / "serve.py"),
        "--mcp",
        "--repo",
        str(forked.path),
        "--cache-dir",
        str(tmp_path),
    ]
    done = subprocess.run(line, input=b"", capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"Traceback" not in done.stderr
    missing = subprocess.run([*line[:4], str(tmp_path / "none")], input=b"", capture_output=True, check=False)
    assert (missing.returncode, missing.stdout) == (2, b"")


@pytest.mark.slow
def test_speaking_over_pipes_ends_with_an_interrupt_too(forked: Repo, tmp_path: Path) -> None:
    line = [sys.executable, str(PROJECT / "serve.py"), "--mcp", "--repo", str(forked.path)]
    hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    with subprocess.Popen(
        [*line, "--cache-dir", str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdin.write(json.dumps(hello).encode() + b"\n")
        running.stdin.flush()
        assert json.loads(running.stdout.readline())["id"] == 1
        running.send_signal(signal.SIGTERM)
        try:
            assert running.wait(60) == 130  # while its standard input stays open
        finally:
            running.kill()
        assert running.stderr.read().splitlines()[-1].endswith(b"interrupted")
