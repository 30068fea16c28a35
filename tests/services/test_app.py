"""The service in front of a model that answers by a script: limits, errors, streams, hang-ups."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2 as httpx
import pytest

from core.errors import UserError
from services.answers import AnswerPart, Work
from services.app import make_app
from services.http.limits import Limits
from services.queue import BusyError, LateError, RequestQueue
from services.schemas import CompletionRequest, PredictRequest, TaskRequest


class Scripted:
    """Says words, one at a time, and notes how far it came."""

    name, created = "scripted", 1

    def __init__(self, words: int = 3, pause_s: float = 0.0) -> None:
        self.words, self.pause_s, self.said = words, pause_s, 0
        self.go, self.go_ranking = threading.Event(), threading.Event()
        self.go.set()
        self.go_ranking.set()

    def predict(self, request: PredictRequest) -> Work:
        def rank() -> Iterator[AnswerPart]:
            if request.at == "unknown":
                raise UserError("no commit is named 'unknown'", "give a hash")
            self.go_ranking.wait(10)
            yield AnswerPart(event="ranking", data={"files": []})
            if not request.sketch_tokens:
                yield AnswerPart(event="done", data={"files": []})

        def write() -> Iterator[AnswerPart]:
            yield from self._words()
            yield AnswerPart(event="done", data={"files": [], "task": request.task})

        return Work(rank, write if request.sketch_tokens else None)

    def complete(self, request: CompletionRequest) -> Work:
        return Work(write=lambda: self._completed(request))

    def _completed(self, request: CompletionRequest) -> Iterator[AnswerPart]:
        if request.prompt == "bad":
            raise UserError("this prompt is bad", "give another")
        if request.prompt == "crash":
            raise RuntimeError("a defect")
        yield AnswerPart(data={"prompt_tokens": 2})
        yield from self._words()
        yield AnswerPart(tokens=self.words, finish="length")

    def chat(self, request: TaskRequest) -> Work:
        def write() -> Iterator[AnswerPart]:
            yield from self._words()
            yield AnswerPart(tokens=self.words, finish="stop")

        return Work(lambda: iter([AnswerPart(request.question.task, data={"prompt_tokens": 4})]), write)

    def _words(self) -> Iterator[AnswerPart]:
        self.go.wait(10)
        for number in range(self.words):
            time.sleep(self.pause_s)
            self.said += 1
            yield AnswerPart(f" {number}")


Client = httpx.AsyncClient
PLENTY = Limits()


@contextlib.asynccontextmanager
async def serving(model: Scripted, limits: Limits = PLENTY, key: str = "") -> AsyncIterator[Client]:
    app = make_app({model.name: model}, limits, key)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def run(work: Callable[[Client], Any], model: Scripted | None = None, **named: Any) -> Any:
    async def inside() -> Any:
        async with serving(model or Scripted(), **named) as client:
            return await work(client)

    return asyncio.run(inside())


def test_all_routes_answer() -> None:
    async def work(client: Client) -> None:
        assert (await client.get("/health")).json()["status"] == "ok"
        assert (await client.get("/v1/models")).json()["data"][0]["id"] == "scripted"
        docs = await client.get("/docs")
        assert all(path in docs.text for path in ("/predict", "/v1/completions", "/v1/chat/completions", "/health"))
        assert docs.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert (await client.get("/redoc")).status_code == 404
        answer = (await client.post("/predict", json={"task": "x"})).json()
        assert answer == {"model": "scripted", "files": [], "task": "x"}
        answer = (await client.post("/v1/completions", json={"prompt": "p", "model": "scripted"})).json()
        assert answer["choices"][0]["text"] == " 0 1 2"
        assert answer["choices"][0]["finish_reason"] == "length"
        assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
        messages = [
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "yes"},
            {"role": "user", "content": [{"type": "text", "text": "do it"}, {"type": "image_url"}]},
        ]
        answer = (await client.post("/v1/chat/completions", json={"messages": messages})).json()
        assert answer["choices"][0]["message"] == {
            "role": "assistant",
            "content": "do it 0 1 2",
            "refusal": None,
        }

    run(work)


def test_streams() -> None:
    async def work(client: Client) -> None:
        body = {"messages": [{"role": "user", "content": "go"}], "stream": True}
        body["stream_options"] = {"include_usage": True}
        text = (await client.post("/v1/chat/completions", json=body)).text
        events = [line.removeprefix("data: ") for line in text.splitlines() if line]
        assert events[-1] == "[DONE]"
        chunks = [json.loads(event) for event in events[:-1]]
        assert chunks[0]["choices"][0]["delta"] == {"content": "go", "role": "assistant"}
        assert "".join(c["choices"][0]["delta"].get("content", "") for c in chunks[:-1]) == "go 0 1 2"
        assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
        assert chunks[-1]["usage"]["total_tokens"] == 7
        assert len({chunk["id"] for chunk in chunks}) == 1
        text = (await client.post("/predict", json={"stream": True})).text
        assert [line for line in text.splitlines() if line.startswith("event")] == [
            "event: ranking",
            *["event: text"] * 3,
            "event: done",
        ]

    run(work)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/predict", b"{not json", 422),
        ("/predict", b'{"task": 5}', 422),
        ("/predict", b'{"unknown": 1}', 422),
        ("/predict", b'{"top": 0}', 422),
        ("/predict", b'{"sketch_tokens": 100000}', 422),
        ("/predict", b'{"model": "other"}', 404),
        ("/predict", b'{"at": "unknown"}', 400),
        ("/predict", b'{"at": "unknown", "stream": true}', 400),
        ("/predict", b'{"changed": "a.py"}', 422),
        ("/predict", b"\xff\xfe", 422),
        ("/predict", b"", 422),
        ("/v1/completions", b'{"prompt": ["a", "b"]}', 422),
        ("/v1/completions", b'{"prompt": "p", "n": 2}', 400),
        ("/v1/completions", b'{"prompt": "p", "max_tokens": -1}', 422),
        ("/v1/completions", b'{"prompt": "bad"}', 400),
        ("/v1/completions", b'{"prompt": "bad", "stream": true}', 400),
        ("/v1/completions", b'{"prompt": "crash"}', 500),
        ("/v1/completions", b'{"prompt": "p", "stop": ["a", "b", "c", "d", "e"]}', 422),
        ("/v1/completions", b'{"prompt": "p", "temperature": NaN}', 422),
        ("/v1/chat/completions", b'{"messages": []}', 422),
        ("/v1/completions", b'{"prompt": "\\ud800"}', 422),
        ("/v1/chat/completions", b'{"messages": [{"role": "user", "content": "\\ud800"}]}', 422),
        (
            "/v1/chat/completions",
            b'{"messages": [{"role": "user", "content": [{"type": "text", "text": "\\ud800"}]}]}',
            422,
        ),
        ("/predict", b'{"at": ":/message"}', 422),
        ("/nowhere", b"{}", 404),
    ],
)
def test_bad_requests_get_an_explanation(path: str, body: bytes, status: int) -> None:
    async def work(client: Client) -> None:
        answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status
        assert answer.json()["error"]["message"]
        assert (await client.post("/predict", json={})).status_code == 200

    run(work)


def test_long_bodies_are_refused_by_their_declared_and_by_their_real_length() -> None:
    async def work(client: Client) -> None:
        assert (await client.post("/predict", json={"task": "x" * 500})).status_code == 413

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b"x" * 10

        assert (await client.post("/predict", content=chunks())).status_code == 413
        assert (await client.post("/predict", json={"task": "x" * 50})).status_code == 200

    run(work, limits=Limits(body_bytes=200))


def test_a_key_is_asked_for() -> None:
    async def work(client: Client) -> None:
        assert (await client.get("/health")).status_code == 200
        for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic secret"}, {"X-API-Key": "é"}):
            encoded = {name: value.encode() for name, value in headers.items()}
            assert (await client.get("/v1/models", headers=encoded)).status_code == 401
        assert (await client.get("/docs")).status_code == 401
        assert (await client.post("/predict", content=b"x" * 2_000_000)).status_code == 401  # without its body, no 413
        for headers in ({"Authorization": "Bearer secret"}, {"X-API-Key": "secret"}):
            assert (await client.post("/predict", json={}, headers=headers)).status_code == 200

    run(work, key="secret")


def test_a_full_queue_is_reported_at_once() -> None:
    async def work(client: Client) -> None:
        model.go.clear()
        running = [asyncio.create_task(client.post("/predict", json={})) for _ in range(3)]
        await asyncio.sleep(0.2)
        refused = await client.post("/predict", json={})
        assert refused.status_code == 429
        assert refused.headers["Retry-After"]
        streamed = await client.post("/predict", json={"stream": True})
        assert streamed.status_code == 429
        assert (await client.get("/health")).json()["requests"] == 3
        model.go.set()
        assert [(await one).status_code for one in running] == [200] * 3
        assert (await client.get("/health")).json()["requests"] == 0

    model = Scripted()
    run(work, model, limits=Limits(waiting=2))


def test_a_ranking_does_not_wait_behind_a_sketch() -> None:
    async def work(client: Client) -> None:
        model.go.clear()
        sketches = [asyncio.create_task(client.post("/predict", json={})) for _ in range(2)]
        await asyncio.sleep(0.1)
        for _ in range(3):
            assert (await client.post("/predict", json={"sketch_tokens": 0})).json()["files"] == []
        async with client.stream("POST", "/predict", json={"stream": True, "sketch_tokens": 0}) as answer:
            assert "event: done" in (await answer.aread()).decode()
        assert not any(one.done() for one in sketches)
        assert (await client.get("/health")).json()["requests"] == 2
        model.go.set()
        assert [(await one).status_code for one in sketches] == [200] * 2

    model = Scripted()
    run(work, model, limits=Limits(waiting=1))


def test_rankings_have_a_bounded_queue_too() -> None:
    async def work(client: Client) -> None:
        model.go_ranking.clear()
        running = [asyncio.create_task(client.post("/predict", json={"sketch_tokens": 0})) for _ in range(2)]
        await asyncio.sleep(0.1)
        assert (await client.post("/predict", json={"sketch_tokens": 0})).status_code == 429
        assert (await client.get("/health")).json()["requests"] == 2
        model.go_ranking.set()
        assert [(await one).status_code for one in running] == [200] * 2

    model = Scripted()
    run(work, model, limits=Limits(waiting=1))


def test_an_answer_that_takes_too_long_is_ended() -> None:
    async def work(client: Client) -> None:
        assert (await client.post("/predict", json={})).status_code == 504
        text = (await client.post("/predict", json={"stream": True})).text
        assert "took too long" in text
        said = model.said
        await asyncio.sleep(0.3)
        assert model.said <= said + 1

    model = Scripted(words=1000, pause_s=0.02)
    run(work, model, limits=Limits(seconds=0.2))


def test_the_engine_stops_when_nobody_listens() -> None:
    said = []

    def work() -> Iterator[int]:
        for number in range(1000):
            said.append(number)
            time.sleep(0.01)
            yield number

    async def inside() -> None:
        engine = RequestQueue(1, 60)
        async with contextlib.aclosing(engine.parts(work)) as pieces:
            async for piece in pieces:
                if piece == 3:
                    break
        await asyncio.sleep(0.2)
        assert len(said) < 10
        assert engine.inside == 0

        async def gone() -> bool:
            return True

        found = await engine.all(work, gone)
        assert len(found) < 100

    asyncio.run(inside())


def test_the_engine_runs_one_at_a_time_and_in_order() -> None:
    order: list[str] = []

    def work(name: str) -> Callable[[], Iterator[int]]:
        def pieces() -> Iterator[int]:
            order.append(f"{name} begins")
            time.sleep(0.05)
            yield 1
            order.append(f"{name} ends")

        return pieces

    async def inside() -> None:
        engine = RequestQueue(2, 60)
        await asyncio.gather(*(engine.all(work(name)) for name in "abc"))
        assert order == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]

    asyncio.run(inside())


def test_the_engine_passes_errors_on() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("a defect")

    def slow() -> Iterator[int]:
        time.sleep(0.3)
        yield 1

    async def inside() -> None:
        engine = RequestQueue(0, 0.1)
        with pytest.raises(ValueError, match="a defect"):
            await engine.all(broken)
        with pytest.raises(LateError):
            await engine.all(slow)
        task = asyncio.create_task(engine.all(slow))
        await asyncio.sleep(0.01)
        with pytest.raises(BusyError):
            await engine.all(slow)
        with pytest.raises(LateError):
            await task

    asyncio.run(inside())


def test_clients_that_leave_the_queue_free_their_place() -> None:
    async def inside() -> None:
        engine, go, begun = RequestQueue(2, 60), threading.Event(), []

        def slow() -> Iterator[int]:
            go.wait(10)
            yield 1

        def waiting() -> Iterator[int]:
            begun.append(1)
            yield 1

        async def gone() -> bool:
            return True

        first = asyncio.create_task(engine.all(slow))
        await asyncio.sleep(0.05)
        left = [asyncio.create_task(engine.all(waiting, gone)) for _ in range(2)]
        assert await asyncio.gather(*left) == [[], []]
        assert engine.inside == 1
        go.set()
        assert await first == [1]
        assert begun == []

    asyncio.run(inside())


@pytest.mark.parametrize("limits", [Limits(body_seconds=0.1), Limits(whole_body_seconds=0.1)])
def test_a_body_that_does_not_come_is_not_waited_for(limits: Limits) -> None:
    async def work(client: Client) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(50):
                yield b" "
                await asyncio.sleep(0.5 if limits.body_seconds < 1 else 0.01)

        assert (await client.post("/predict", content=chunks())).status_code == 408

    run(work, limits=limits)
