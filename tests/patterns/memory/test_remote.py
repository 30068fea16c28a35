"""What a member's machine says to a server over HTTP, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient
from team_made_up import MadeTeam, new

from core.errors import StageError, UserError
from patterns.memory import remote, syncing
from patterns.memory.local import LocalMemory
from patterns.memory.operations import Add, Vote
from patterns.memory.refusals import RefusedOperationError
from patterns.memory.remote import Remote
from patterns.memory.team_memory import TeamMemory
from services.app import make_app
from services.http.limits import Limits
from services.http.rates import Rate, Rates

URL = "http://localhost"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeTeam]:
    with TeamMemory(tmp_path / "server") as memory:
        yield MadeTeam(memory, memory.found("one", "ada"))


def test_two_members_sync_over_http(made: MadeTeam, tmp_path: Path) -> None:
    app = make_app({}, Limits(), team=made.memory)
    keys = {name: made.key(name) for name in ("mia", "moe")}
    with TestClient(app, base_url=URL) as client:
        found = {}
        for name in ("mia", "moe", "mia"):
            local, server = LocalMemory(tmp_path / name), Remote(URL, keys[name], client)
            if name not in found:
                local.do([Add(pattern=new(1)), Add(pattern=new(2 if name == "mia" else 3))])
            done = syncing.sync(local, server)
            assert done.refused == []
            if name == "moe":
                (first,) = [
                    row["id"] for row in local.team.reading.some(found["mia"]).values() if row["occurrence_count"]
                ][:1]
                assert local.do([Vote(id=first, helpful=True)])[0].status == "done"
                syncing.push(local, server)
            found[name] = {row["id"] for row in local.team.reading.news("", 100).patterns}
            local.close()
    assert len(found["mia"] | found["moe"]) == 3
    stats = made.of("ada").reading.stats()
    assert (stats["patterns"], stats["votes"]["up"], stats["occurrences"]) == (3, 1, 3)


def test_a_reader_reads_and_delivers_nothing(made: MadeTeam, tmp_path: Path) -> None:
    made.add("moe", new(1))
    key, local = made.key("rob"), LocalMemory(tmp_path / "rob")
    with TestClient(make_app({}, Limits(), team=made.memory), base_url=URL) as client:
        local.do([Add(pattern=new(2))])
        done = syncing.sync(local, Remote(URL, key, client))
    assert len(done.refused) == 1
    assert done.read == 1
    assert "a reader may not write" in done.refused[0]
    assert made.of("ada").reading.stats()["patterns"] == 1
    local.close()


def test_a_server_that_asks_for_patience_gets_it(
    made: MadeTeam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("patterns.memory.remote.time.sleep", waits.append)
    rates = Rates({"read": Rate(0.5, 1), "write": Rate(1, 1)})
    with TestClient(make_app({}, Limits(), team=made.memory, rates=rates), base_url=URL) as client:
        server = Remote(URL, made.key("mia"), client)
        assert server.whoami()["member"] == "mia"
        with pytest.raises(StageError, match="too often"):
            server.whoami()
    assert waits == [2.0] * remote.MOST_TRIES


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> Remote:
    return Remote(URL, "glk_x", httpx.Client(transport=httpx.MockTransport(answer)))


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.Response(401, json={"error": {"message": "no"}}), UserError, "does not know the key"),
        (httpx.Response(403, json={"error": {"message": "a reader may not"}}), StageError, "a reader may not"),
        (httpx.Response(410, json={"error": {"message": "gone"}}), RefusedOperationError, "gone"),
        (httpx.Response(404, text="<html>"), StageError, "it answers 404"),
        (httpx.Response(200, text="<html>"), StageError, "it answers 200"),
        (httpx.Response(200, content=b"\xff"), StageError, "it answers 200"),
        (httpx.Response(200, json=[]), StageError, "it answers 200"),
        (httpx.Response(500, json={"error": "x"}), StageError, "it answers 500"),
    ],
)
def test_what_goes_wrong_is_a_sentence(answer: httpx.Response, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        answering(lambda _: answer).pull("", 1)


def test_a_server_that_is_not_there_is_a_sentence() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pytest.raises(StageError, match="cannot be reached: connection refused"):
        answering(refuse).whoami()


@pytest.mark.parametrize(("url", "key", "words"), [("team.example.org", "k", "no URL"), (URL, "", "asks for a key")])
def test_wrong_arguments_are_a_sentence(url: str, key: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        Remote(url, key)


def test_the_key_is_sent_in_a_header_alone() -> None:
    seen: list[Any] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"member": "mia"})

    answering(note).whoami()
    assert seen[0].headers["authorization"] == "Bearer glk_x"
    assert "glk_x" not in str(seen[0].url)
