"""A served model that follows what a team activates: swapped, never mixed, kept where the new one cannot be loaded."""

from __future__ import annotations

import asyncio
import gc
import threading
import uuid
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from adapters_made_up import BETTER, archived, fused, in_parts
from builders import Repo, grow
from team_made_up import MadeTeam

from core.errors import StageError, UserError
from core.models import model_folder
from core.prediction.answer import Answer
from patterns.adapters.versions import Versions
from patterns.memory.team_memory import TeamMemory
from services import active_adapter
from services.active_adapter import ActiveAdapter, followed
from services.answers import AnswerPart
from services.app import make_app
from services.http.limits import Limits
from services.served import Served, load_all


class Writer:
    """A model that writes its name five times, and may be stopped between."""

    def __init__(self, name: str) -> None:
        self.name, self.goes_on, self.has_begun = name, threading.Event(), threading.Event()
        self.goes_on.set()

    def sketch(self, answer: Answer, _: object) -> Iterator[AnswerPart]:
        for _ in range(5):
            yield AnswerPart(text=self.name)
            self.has_begun.set()
            self.goes_on.wait(60)
        yield AnswerPart(event="done", data=replace(answer, sketch=None).as_dict() | {"by": self.name})


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    made = Repo.new(tmp_path_factory.mktemp("grown") / "repo")
    grow(made)
    return made


@pytest.fixture
def served(repo: Repo, tmp_path: Path) -> Iterator[Served]:
    (made,) = load_all([], {"": str(repo.path)}, tmp_path / "cache", 10).values()
    yield made
    made.close()


@pytest.fixture(scope="module")
def archives(adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    place = tmp_path_factory.mktemp("archives")
    return [archived(fused(adapter, place / str(number), number, BETTER)) for number in (1, 2)]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeTeam]:
    with TeamMemory(tmp_path / "team") as memory:
        yield MadeTeam(memory, memory.found(f"team {uuid.uuid4()}", "ada"))


@pytest.fixture
def team(made: MadeTeam) -> Versions:
    return made.of("ada").adapters


def added(team: Versions, archives: list[bytes]) -> list[str]:
    return [str(team.add(in_parts(data), "click")[0]["id"]) for data in archives]


def writers(made: dict[str, Writer]) -> Callable[[Path], Any]:
    """Makes a writer of each adapter, by the rank of its creation."""

    def load(folder: Path) -> Writer:
        assert model_folder.read_info(folder).is_adapter
        name = f"<{len(made)}>"
        made[name] = Writer(name)
        return made[name]

    return load


def test_an_answer_ends_with_the_model_that_it_began_with(
    served: Served, team: Versions, archives: list[bytes]
) -> None:
    ids, loaded = added(team, archives), dict[str, Writer]()
    active = ActiveAdapter(team, served, writers(loaded))
    active.look()
    assert (served.model, active.state()["active"]) == (None, None)
    team.activate(ids[0])
    active.look()
    loaded["<0>"].goes_on.clear()
    answers = list[str]()

    async def inside() -> None:
        app = make_app({served.name: served}, Limits(), active=active)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:

            async def ask() -> str:
                body = {"task": "change the parser", "sketch_tokens": 20, "stream": True}
                return (await client.post("/predict", json=body)).text

            first = asyncio.create_task(ask())
            await asyncio.to_thread(loaded["<0>"].has_begun.wait, 60)
            team.activate(ids[1])
            await asyncio.to_thread(active.look)
            second = asyncio.create_task(ask())  # waits behind the first in the queue
            await asyncio.sleep(0.05)
            loaded["<0>"].goes_on.set()
            answers.extend([await first, await second])
            health = (await client.get("/health")).json()["adapter"]
            assert health == {"model": served.name, "in_use": ids[1], "active": ids[1], "problem": None}

    asyncio.run(inside())
    assert [(text.count("<0>"), text.count("<1>")) for text in answers] == [(6, 0), (0, 6)]
    old = weakref.ref(loaded.pop("<0>"))
    gc.collect()
    assert old() is None


@pytest.mark.parametrize(
    ("error", "said"),
    [(UserError("it is of another base"), "it is of another base"), (MemoryError("x"), "MemoryError: x")],
)
def test_what_cannot_be_loaded_leaves_the_old_one(
    served: Served, team: Versions, archives: list[bytes], error: Exception, said: str
) -> None:
    ids, loaded, fails = added(team, archives), dict[str, Writer](), list[Exception]()
    load, tries = writers(loaded), list[Path]()

    def loading(folder: Path) -> Any:
        tries.append(folder)
        if fails:
            raise fails[0]
        return load(folder)

    active = ActiveAdapter(team, served, loading)
    team.activate(ids[0])
    active.look()
    team.activate(ids[1])
    fails.append(error)
    for _ in range(3):  # two of them too early to try again
        active.look()
    assert len(tries) == 2
    assert served.model is loaded["<0>"]
    problem = f"the adapter {ids[1][:12]} cannot be loaded: {said}"
    assert active.state() == {"model": served.name, "in_use": ids[0], "active": ids[1], "problem": problem}
    fails.clear()
    active._tried_at -= active_adapter.RETRY_S
    active.look()
    assert served.model is loaded["<1>"]
    assert (active.adapter, active.state()["problem"]) == (ids[1], None)


def test_a_damaged_file_and_a_lost_database_are_problems(
    served: Served, team: Versions, archives: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (id_,), loaded = added(team, archives[:1]), dict[str, Writer]()
    active = ActiveAdapter(team, served, writers(loaded))
    team.activate(id_)
    whole = team.files.path(id_).read_bytes()
    team.files.path(id_).write_bytes(whole[:-1] + b"x")
    active.look()
    assert "is damaged" in str(active.state()["problem"])
    team.files.path(id_).write_bytes(whole)
    active._tried_at -= active_adapter.RETRY_S
    active.look()
    assert active.adapter == id_

    def lost() -> Any:
        raise StageError("the disk is gone")

    monkeypatch.setattr(team, "active", lost)
    active.look()
    assert active.problem == "the team's database cannot be read: the disk is gone"
    assert served.model is loaded["<0>"]
    monkeypatch.undo()
    active.look()
    assert active.problem == ""


def test_a_rollback_is_followed_and_a_thread_looks(
    served: Served, team: Versions, archives: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active_adapter, "LOOK_EVERY_S", 0.01)
    ids, loaded = added(team, archives), dict[str, Writer]()
    active = ActiveAdapter(team, served, writers(loaded))
    looked = threading.Event()
    use = served.use

    def used(model: Any) -> None:
        use(model)
        looked.set()

    monkeypatch.setattr(served, "use", used)
    active.start()
    try:
        for act in (lambda: team.activate(ids[0]), lambda: team.activate(ids[1]), team.rollback):
            looked.clear()
            act()
            assert looked.wait(60)
    finally:
        active.close()
    assert len(loaded) == 3
    assert served.model is loaded["<2>"]


def test_a_real_adapter_writes(
    made: MadeTeam, adapter: Path, archives: list[bytes], repo: Repo, served: Served, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="there is no team other"):
        followed(made.memory, "other", {served.name: served}, {"": str(repo.path)}, tmp_path, 3)
    (id_,) = added(made.of("ada").adapters, archives[:1])
    made.of("ada").adapters.activate(id_)
    active = followed(made.memory, made.admin.team, {served.name: served}, {"": str(repo.path)}, tmp_path, 3)
    assert active.problem == ""
    assert active.adapter == id_
    assert served.model is not None
    assert served.model.asker.loaded.info.origin is not None
