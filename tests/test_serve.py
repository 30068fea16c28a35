"""The service as a process, with a real model behind it: OpenAI's client, many at once, hang-ups, bad input."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import pytest_socket
from builders import PROJECT, Program, Repo
from click.testing import CliRunner
from starlette.testclient import TestClient
from team_made_up import MadeTeam

import serve
from patterns.memory.team_memory import TeamMemory
from services import listening

KEY = "a secret"


@pytest.fixture(autouse=True)
def loopback() -> Iterator[None]:
    """The service listens on this machine; nothing else is reached."""
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1"])
    yield
    pytest_socket.disable_socket(allow_unix_socket=True)


class Service:
    """serve.py in a folder where a model lies."""

    def __init__(self, folder: Path, *arguments: str, key: str = KEY) -> None:
        pytest_socket.enable_socket()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = Program(folder).start("serve.py", "--port", str(self.port), *arguments, GITLORE_API_KEY=key)
        self.url = f"http://127.0.0.1:{self.port}"
        deadline = time.monotonic() + 120
        while True:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{self.url}/health").raise_for_status()
                return
            time.sleep(0.1)

    @property
    def client(self) -> httpx.Client:
        """A client that knows the key."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=60)

    def stop(self) -> str:
        """Ctrl-C; all that was printed."""
        self.process.send_signal(signal.SIGINT)
        return "".join(self.process.communicate(timeout_s=60))


@pytest.fixture(scope="module")
def service(finished: Program) -> Iterator[Service]:
    made = Service(finished.folder, "--repo", "repo", "--queue", "4")
    yield made
    said = made.stop()
    assert "Traceback" not in said


def test_the_official_client(service: Service) -> None:
    import openai  # each worker that collects this file would wait two seconds for it

    with openai.OpenAI(base_url=f"{service.url}/v1", api_key=KEY, max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["model", "chat:repo"]
        done = client.completions.create(model="model", prompt="<COMMIT_START>", max_tokens=5)
        assert done.usage
        assert done.usage.completion_tokens <= 5
        messages = [{"role": "user", "content": "add a handler"}]
        chat = client.chat.completions.create(model="model", messages=messages, max_tokens=6)  # type: ignore[call-overload]
        assert "**Files**" in chat.choices[0].message.content
        assert chat.choices[0].finish_reason == "stop"
        response = client.responses.create(model="model", input="add a handler", max_output_tokens=6)
        assert (response.status, response.output_text) == ("completed", chat.choices[0].message.content)
        with client.responses.stream(model="model", input="add a handler", max_output_tokens=6) as events:
            assert events.get_final_response().output_text == response.output_text
        stream = client.chat.completions.create(model="model", messages=messages, max_tokens=6, stream=True)  # type: ignore[call-overload]
        chunks = list(stream)
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == chat.choices[0].message.content
        text = client.completions.create(model="model", prompt="fn", max_tokens=8, stream=True)
        assert list(text)[-1].choices[0].finish_reason in ("length", "stop")
        with pytest.raises(openai.NotFoundError):
            client.completions.create(model="other", prompt="x")
        with pytest.raises(openai.UnprocessableEntityError):
            client.completions.create(model="model", prompt="x", max_tokens=100_000)
        with pytest.raises(openai.BadRequestError):
            client.completions.create(model="model", prompt="x " * 600)
    wrong = openai.OpenAI(base_url=f"{service.url}/v1", api_key="wrong", max_retries=0)
    with wrong as client, pytest.raises(openai.AuthenticationError):
        client.models.list()


def test_a_prediction_is_that_of_the_command(service: Service, finished: Program) -> None:
    asked = {"task": "add a handler", "sketch_tokens": 5, "always_sketch": True, "files": ["src/*", "pkg/new.py"]}
    with service.client as client:
        answer = client.post("/predict", json=asked).json()
    assert answer.pop("model") == "model"
    line = ("--repo", "repo", "--task", "add a handler", "--files", "src/*", "--files", "pkg/new.py", "--json")
    printed = json.loads(finished.run("predict.py", *line, "--sketch-tokens", "5", "--always-sketch").stdout)
    assert answer == printed
    assert answer["commit"]
    assert answer["copying"]
    with service.client as client:
        assert not client.post("/predict", json={**asked, "copying": False}).json()["copying"]
    assert [(item["name"], item["new"]) for item in answer["files"]] == [("src/lib.rs", False)]


def test_a_model_sketches_neither_the_past_nor_what_goes_with_a_change(service: Service) -> None:
    with service.client as client:
        for asked in ({"at": "HEAD~1"}, {"changed": ["src/lib.rs"]}, {"sketch_tokens": 0}):
            answer = client.post("/predict", json={"task": "add a handler", **asked}).json()
            assert answer["files"]
            assert answer["commit"] is None


def test_a_model_is_not_needed(finished: Program, tmp_path: Path) -> None:
    service = Service(tmp_path, "--repo", str(finished.folder / "repo"), key="")
    with service.client as client:
        assert [one["id"] for one in client.get("/v1/models").json()["data"]] == ["files", "chat:repo"]
        answer = client.post("/predict", json={"task": "add a handler"}).json()
        assert answer["files"][0]["reasons"]
        assert client.post("/v1/completions", json={"prompt": "fn"}).status_code == 404
    service.stop()


def test_fifty_at_once_get_an_answer_or_a_429(service: Service) -> None:
    """The queue is small, so most are refused; nobody gets anything else. By hand it runs for a minute."""
    seconds = float(os.environ.get("GITLORE_LOAD_SECONDS", "3"))
    statuses: Counter[int] = Counter()
    end = time.monotonic() + seconds

    async def caller(client: httpx.AsyncClient, number: int) -> None:
        while time.monotonic() < end:
            path = ("/predict", "/v1/completions", "/v1/chat/completions")[number % 3]
            body: dict[str, object] = [
                {"sketch_tokens": number % 2 * 4, "always_sketch": True},
                {"prompt": "fn", "max_tokens": 4},
                {"messages": [{"role": "user", "content": "x"}], "max_tokens": 4, "stream": True},
            ][number % 3]
            statuses[(await client.post(path, json=body)).status_code] += 1

    async def all_of_them() -> None:
        limits = httpx.Limits(max_connections=50)
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(base_url=service.url, headers=headers, limits=limits, timeout=60) as client:
            await asyncio.gather(*(caller(client, number) for number in range(50)))

    asyncio.run(all_of_them())
    assert statuses.keys() <= {200, 429}
    assert statuses[200] > 0
    with service.client as client:
        assert client.get("/health").json()["requests"] == 0


def test_a_client_that_hangs_up_leaves_the_service_to_others(service: Service) -> None:
    with service.client as client:
        with client.stream(
            "POST", "/predict", json={"sketch_tokens": 1000, "always_sketch": True, "stream": True, "temperature": 1.0}
        ) as answer:
            next(answer.iter_raw())
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", service.port)) as raw:
                raw.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a secret\r\nContent-Le")
            body = b'{"sketch_tokens": 900, "always_sketch": true, "temperature": 1.0}'
            head = f"POST /predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
            head += "Content-Type: application/json\r\n"
            with socket.create_connection(("127.0.0.1", service.port)) as raw:
                raw.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        deadline = time.monotonic() + 60
        while client.get("/health").json()["requests"]:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert client.post("/predict", json={"sketch_tokens": 2}).status_code == 200


def test_garbage_is_refused(service: Service) -> None:
    with service.client as client:
        for body in (b"", b"{", b"[]", b"\xff" * 10, b'{"task": {"a": 1}}', b'{"temperature": 1e999}'):
            status = client.post("/predict", content=body, headers={"Content-Type": "application/json"}).status_code
            assert 400 <= status < 500
        assert client.post("/predict", content=b"x" * 1_000_001).status_code == 413
        assert client.post("/predict", json={"files": ["nothing/like/*.this"]}).status_code == 400
        assert client.get("/predict").status_code == 405


async def asked_at_once(service: Service, asked: dict[str, object], models: list[str]) -> list[dict[str, object]]:
    """What each of the models answers when all are asked at the same time."""
    async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
        answers = await asyncio.gather(*(client.post("/predict", json={**asked, "model": one}) for one in models))
    return [answer.json() for answer in answers]


@pytest.mark.slow
def test_adapters_share_one_base(finished: Program, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(finished.folder / "outputs" / "model", other)
    from safetensors.torch import load_file, save_file

    weights = load_file(other / "adapter_model.safetensors")
    save_file({name: value + 0.3 for name, value in weights.items()}, other / "adapter_model.safetensors")
    service = Service(
        finished.folder, "--model", "one=outputs/model", "--model", f"two={other}", "--repo", "repo", key=""
    )
    with service.client as client:
        assert [one["id"] for one in client.get("/v1/models").json()["data"]] == ["one", "two", "chat:repo"]
        asked = {"task": "x", "sketch_tokens": 24, "always_sketch": True}
        first, second, third = (
            client.post("/predict", json={**asked, "model": m}).json() for m in ("one", "two", "one")
        )
        assert first["files"] == second["files"] == third["files"]
        assert first["commit"] == third["commit"]
        assert first["commit"] != second["commit"]
        found = asyncio.run(asked_at_once(service, asked, ["one", "two"] * 8))
        assert [answer["commit"] for answer in found] == [first["commit"], second["commit"]] * 8
    service.stop()
    alone = finished.run(
        "predict.py", "--repo", "repo", "--task", "x", "--sketch-tokens", "24", "--always-sketch", "--json"
    )
    assert json.loads(alone.stdout)["commit"] == first["commit"]


def test_a_wrong_start_is_reported(finished: Program, tmp_path: Path) -> None:
    for arguments, says in (
        (("--model", "nowhere"), "is not a model of Gitlore"),
        (("--repo", str(tmp_path)), "repository"),
        (("--repo", "repo", "--ranker", "none.json"), "cannot be read"),
        (("--host", "0.0.0.0"), "GITLORE_API_KEY is not set"),
        (("--host", "not a host", "--no-key", "--repo", "repo"), "cannot be listened on"),
        (("--model", "outputs/model", "--model", "outputs/model", "--repo", "repo"), "same name"),
    ):
        done = finished.run("serve.py", *arguments)
        assert done.returncode == 2, done.stderr
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_a_taken_port_is_reported(service: Service, finished: Program) -> None:
    done = finished.run("serve.py", "--repo", "repo", "--port", str(service.port))
    assert done.returncode == 2
    assert f"127.0.0.1:{service.port} cannot be listened on" in done.stderr
    assert "Traceback" not in done.stderr


def test_everybody_may_ask_where_that_is_said(finished: Program, tmp_path: Path) -> None:
    service = Service(tmp_path, "--repo", str(finished.folder / "repo"), "--host", "0.0.0.0", "--no-key")
    with httpx.Client(base_url=service.url) as client:
        assert client.get("/v1/models").status_code == 200
    service.stop()


def test_the_workflow_calls_what_there_is() -> None:
    flow = json.loads((PROJECT / "docs" / "n8n_workflow.json").read_text())
    nodes = {node["name"]: node for node in flow["nodes"]}
    assert len({node["id"] for node in flow["nodes"]}) == len(nodes) == 4
    for name, outgoing in flow["connections"].items():
        assert name in nodes
        assert all(link["node"] in nodes for links in outgoing["main"] for link in links)
    asked = nodes["Ask Gitlore"]["parameters"]
    assert asked["url"].endswith("/predict")
    from services.schemas import PredictRequest

    keys = re.findall(r"(\w+): ", asked["jsonBody"].partition("stringify(")[2])
    assert set(keys) <= PredictRequest.model_fields.keys()
    assert all(
        field in nodes["Write the comment"]["parameters"]["assignments"]["assignments"][0]["value"]
        for field in ("files", "probability", "reasons")
    )


def test_a_team_is_served_beside_the_repository(forked: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITLORE_API_KEY", raising=False)
    found: dict[str, Any] = {}
    monkeypatch.setattr(listening, "listen", lambda app, *_, **__: found.update(app=app))
    words = ["--repo", str(forked.path), "--cache-dir", str(tmp_path / "cache"), "--team", str(tmp_path / "team")]
    missing = CliRunner().invoke(serve.main, words)
    assert (missing.exit_code, "python -m patterns serve" in missing.output) == (2, True)
    with TeamMemory(tmp_path / "team") as memory:
        key = MadeTeam(memory, memory.found("shop", "ada")).key("rob")
    done = CliRunner().invoke(serve.main, [*words, "--host", "0.0.0.0"])
    assert done.exit_code == 0, done.output
    with TestClient(found["app"], headers={"X-API-Key": key}) as client:
        assert client.get("/whoami").json()["team"] == "shop"
        assert client.post("/predict", json={"task": "step", "sketch_tokens": 0}).json()["files"]
        for path in ("/whoami", "/predict"):
            assert client.post(path, headers={"X-API-Key": "wrong"}).status_code == 401
