"""Adapters over HTTP: the routes, who may use them, uploads that are too large, files in ranges."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from adapters_made_up import BETTER, archived, fused, variant
from fastapi import FastAPI
from team_made_up import ROLES_OF, MadeTeam

from patterns.memory.team_memory import TeamMemory
from services.app import make_app
from services.http import uploads
from services.http.limits import Limits
from services.http.rates import Rate, Rates

PLENTY = Rates({"read": Rate(1e6, 1e6), "write": Rate(1e6, 1e6)})
MOST = 3_000_000


@dataclass(frozen=True)
class Server:
    """A service with a team in it."""

    app: FastAPI
    made: MadeTeam
    keys: dict[str, str]

    def ask(self, name: str, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer to one request of a member's."""

        async def inside() -> httpx.Response:
            async with self.client(name) as client:
                return await client.request(method, path, **more)

        return asyncio.run(inside())

    @contextlib.asynccontextmanager
    async def client(self, name: str) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        headers = {"X-API-Key": self.keys.get(name, name)}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as it:
            yield it

    def add(self, data: bytes, name: str = "mia", **more: Any) -> httpx.Response:
        return self.ask(name, "POST", "/adapters?name=click", content=data, **more)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamMemory]:
    with TeamMemory(tmp_path_factory.mktemp("memory"), most_adapter_bytes=MOST) as opened:
        yield opened


@pytest.fixture(scope="module")
def app(memory: TeamMemory) -> FastAPI:
    return make_app({}, Limits(), team=memory, rates=PLENTY)


@pytest.fixture
def server(app: FastAPI, memory: TeamMemory) -> Server:
    made = MadeTeam(memory, memory.found(f"team {uuid.uuid4()}", "ada"))
    return Server(app, made, {name: made.key(name) for name in ROLES_OF})


@pytest.fixture(scope="module")
def archives(adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Two good ones, and one that was not measured."""
    place = tmp_path_factory.mktemp("archives")
    good = [fused(adapter, place / str(number), number, BETTER) for number in (1, 2)]
    return [archived(folder) for folder in (*good, variant(adapter, place / "trained", 3))]


def test_an_adapter_is_added_activated_taken_back_and_read(server: Server, archives: list[bytes]) -> None:
    ids = []
    for data in archives[:2]:
        answer = server.add(data)
        assert (answer.status_code, answer.json()["status"]) == (201, "added"), answer.text
        ids.append(answer.json()["id"])
    assert server.add(archives[0]).json()["status"] == "known"
    assert server.add(archives[0]).status_code == 200
    for id_ in ids:
        assert server.ask("max", "POST", f"/adapters/{id_}/activate").json()["id"] == id_
    assert server.ask("max", "POST", "/adapters/rollback", json={"reason": "worse"}).json()["id"] == ids[0]
    listed = server.ask("rob", "GET", "/adapters").json()
    assert [(one["id"], one["active"]) for one in listed["adapters"]] == [(ids[1], False), (ids[0], True)]
    assert [row["id"] for row in listed["active"].values()] == [ids[0]]
    one = server.ask("rob", "GET", f"/adapters/{ids[0][:8]}").json()
    assert one["parents"][0]["name"] == "a@1"
    assert [done["member"] for done in one["activations"]] == ["max", "max"]
    audit = [line["action"] for line in server.ask("max", "GET", "/audit").json()["lines"]]
    assert audit[:3] == ["adapter.rollback", "adapter.activate", "adapter.activate"]


def test_files_have_a_tag_and_ranges(server: Server, archives: list[bytes]) -> None:
    id_ = server.add(archives[0]).json()["id"]
    path = f"/adapters/{id_}/file"
    whole = server.ask("rob", "GET", path)
    assert (whole.status_code, whole.content, whole.headers["etag"]) == (200, archives[0], f'"{id_}"')
    known = server.ask("rob", "GET", path, headers={"If-None-Match": f'"{id_}"'})
    assert (known.status_code, known.content) == (304, b"")
    part = server.ask("rob", "GET", path, headers={"Range": "bytes=100-299", "If-Range": f'"{id_}"'})
    assert (part.status_code, part.content) == (206, archives[0][100:300])
    assert part.headers["content-range"] == f"bytes 100-299/{len(archives[0])}"
    end = server.ask("rob", "GET", path, headers={"Range": "bytes=-5"})
    assert (end.status_code, end.content) == (206, archives[0][-5:])
    other = server.ask("rob", "GET", path, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (other.status_code, len(other.content)) == (200, len(archives[0]))
    assert server.ask("rob", "GET", path, headers={"Range": f"bytes={1 << 40}-"}).status_code == 416
    head = server.ask("rob", "HEAD", path)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(archives[0])))


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        ("rob", "POST", "/adapters?name=click", 403),
        ("mia", "POST", "/adapters/aaaaaaaa/activate", 403),
        ("mia", "POST", "/adapters/rollback", 403),
        ("max", "POST", "/adapters/aaaaaaaa/activate", 404),
        ("max", "POST", "/adapters/rollback", 404),
        ("rob", "GET", "/adapters/aaaaaaaa", 404),
        ("rob", "GET", "/adapters/aaaaaaaa/file", 404),
        ("rob", "GET", "/adapters?cursor=x", 400),
        ("mia", "POST", "/adapters?name=..%2Fup", 422),
        ("mia", "POST", "/adapters", 422),
        ("max", "POST", "/adapters/aaaaaaaa/activate?key=1", 404),
        ("nobody", "GET", "/adapters", 401),
        ("nobody", "POST", "/adapters?name=click", 401),
    ],
)
def test_what_is_refused_has_a_status_and_a_sentence(
    server: Server, archives: list[bytes], who: str, method: str, path: str, status: int
) -> None:
    content = {"content": archives[0]} if "name=" in path else {}
    answer = server.ask(who, method, path, **content)
    assert answer.status_code == status, answer.text
    assert len(answer.json()["error"]["message"]) > 10
    assert server.ask("rob", "GET", "/adapters").json()["adapters"] == []


def test_what_is_not_better_needs_force_and_a_reason(server: Server, archives: list[bytes]) -> None:
    path = f"/adapters/{server.add(archives[2]).json()['id']}/activate"
    refused = server.ask("max", "POST", path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_better")
    assert "it was not measured" in refused.json()["error"]["message"]
    assert server.ask("max", "POST", path, json={"force": True}).status_code == 422
    assert server.ask("max", "POST", path, json={"force": True, "reason": "a trial"}).status_code == 200
    other = server.ask(
        "max", "POST", f"/adapters/{server.add(archives[0]).json()['id']}/activate", json={"replaces": ""}
    )
    assert (other.status_code, other.json()["error"]["code"]) == (409, "changed_meanwhile")


def test_a_gigabyte_is_refused_before_it_is_read(server: Server) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 16
            yield b"\0" * (1 << 16)

    claimed = server.ask(
        "mia", "POST", "/adapters?name=click", content=endless(), headers={"Content-Length": str(1 << 30)}
    )
    assert (claimed.status_code, sent) == (413, 0)
    assert claimed.json()["error"]["code"] == "too_large"
    assert claimed.headers["connection"] == "close"


def test_a_body_that_grows_too_long_is_cut_off(server: Server, archives: list[bytes]) -> None:
    sent = 0

    async def growing() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += len(archives[0])
            yield archives[0]

    answer = server.ask("mia", "POST", "/adapters?name=click", content=growing())
    assert answer.status_code == 422
    assert "more between or behind" in answer.json()["error"]["message"]
    assert sent <= 3 * len(archives[0])
    assert server.ask("rob", "GET", "/adapters").json()["adapters"] == []


def test_a_body_that_stops_coming_is_not_waited_for(
    server: Server, archives: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PART_S", 0.2)

    async def stuck() -> AsyncIterator[bytes]:
        yield archives[0][:50_000]
        await asyncio.sleep(30)

    answer = server.ask("mia", "POST", "/adapters?name=click", content=stuck())
    assert answer.status_code == 408
    folder = server.made.of("mia").adapters.files.path("x").parent
    assert list(folder.iterdir()) == []


def test_an_idempotency_key_adds_once(server: Server, archives: list[bytes]) -> None:
    key = {"Idempotency-Key": "k"}
    first = server.add(archives[0], headers=key)
    again = server.add(archives[0], headers=key)
    assert (first.status_code, again.status_code, first.json()["id"]) == (201, 200, again.json()["id"])
    assert server.add(archives[1], headers=key).status_code == 409
    path = f"/adapters/{first.json()['id']}/activate"
    done = [server.ask("max", "POST", path, headers=key).json() for _ in range(2)]
    assert done[0] == done[1]


def test_more_uploads_at_once_wait_for_another_time(
    server: Server, archives: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.routes.adapters.MOST_UPLOADS", 0)
    answer = server.add(archives[0])
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")


def test_uploads_count_as_writing(server: Server) -> None:
    rates = Rates({"read": Rate(1e6, 1e6), "write": Rate(0.001, 1)})
    server = replace(server, app=make_app({}, Limits(), team=server.made.memory, rates=rates))
    assert [server.add(b"", "rob").status_code for _ in range(2)] == [403, 429]


def test_no_team_reads_files_of_another(server: Server, memory: TeamMemory, archives: list[bytes]) -> None:
    id_ = server.add(archives[0]).json()["id"]
    other = MadeTeam(memory, memory.found(f"team {uuid.uuid4()}", "ada"))
    theirs = replace(server, made=other, keys={"ada": other.key("ada")})
    for path in (f"/adapters/{id_}", f"/adapters/{id_}/file"):
        assert theirs.ask("ada", "GET", path).status_code == 404
    assert theirs.ask("ada", "GET", "/adapters").json()["adapters"] == []


def test_a_merge_is_a_job(server: Server, archives: list[bytes]) -> None:
    ids = [server.add(data).json()["id"] for data in archives[:2]]
    body = {"adapters": ids, "name": "both", "method": "cat"}
    assert server.ask("mia", "POST", "/adapters/merge", json=body).status_code == 403
    assert server.ask("max", "POST", "/adapters/merge", json={**body, "adapters": ids[:1]}).status_code == 422
    assert server.ask("max", "POST", "/adapters/merge", json={**body, "adapters": ["nothing", "no"]}).status_code == 404
    assert server.ask("rob", "GET", "/adapters/merge").json() == {"merges": []}
    assert server.ask("rob", "GET", "/adapters/merge/nothing").status_code == 404

    running = replace(server, app=make_app({}, Limits(), team=server.made.memory, rates=PLENTY))

    async def inside() -> dict[str, Any]:
        async with running.app.router.lifespan_context(running.app), running.client("max") as client:  # with its worker
            job = await client.post("/adapters/merge", json=body, headers={"Idempotency-Key": "m"})
            again = await client.post("/adapters/merge", json=body, headers={"Idempotency-Key": "m"})
            assert (job.status_code, again.json()["id"]) == (202, job.json()["id"])
            done: dict[str, Any] = job.json()
            while done["status"] in ("queued", "running"):
                await asyncio.sleep(0.05)
                done = (await client.get(f"/adapters/merge/{done['id']}")).json()
            return done

    done = asyncio.run(asyncio.wait_for(inside(), 120))
    assert (done["status"], done["reasons"]) == ("done", [])
    one = server.ask("rob", "GET", f"/adapters/{done['result']}").json()
    assert (one["name"], one["rank"], one["method"], one["created_by"]) == ("both", 8, "cat", "max")
    assert [row["id"] for row in server.ask("rob", "GET", "/adapters/merge").json()["merges"]] == [done["id"]]
