"""Which model answers: by its name, by its repository, or the first; never two in one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from builders import Repo, grow
from made_adapters import FIRST_VALUES, SECOND_VALUES, write_adapter

from services.app import make_app
from services.http.limits import Limits
from services.models import ServedModels
from services.served import Served, load_all


@pytest.fixture(scope="module")
def places(roomy_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two adapters of one base, in which the same ids are other values, and three repositories."""
    folder = tmp_path_factory.mktemp("many")
    for commits, name in enumerate(("core", "web", "api"), start=3):
        grow(Repo.new(folder / name), commits)
    made = {
        "fused": write_adapter(folder / "fused", roomy_model, seed=1, values=FIRST_VALUES),
        "web": write_adapter(folder / "of web", roomy_model, seed=2, values=SECOND_VALUES),
    }
    return made | {"folder": folder}


@pytest.fixture(scope="module")
def served(places: dict[str, Path]) -> Iterator[dict[str, Served]]:
    """The fused adapter for core and api, and web's own."""
    folder = places["folder"]
    repos = {"": str(folder / "core"), "web": str(folder / "web"), "api": str(folder / "api")}
    models = [("fused", str(places["fused"])), ("web", str(places["web"]))]
    made = load_all(models, repos, folder / "cache", 3)
    yield made
    for one in made.values():
        one.close()


def posted(served: dict[str, Served], *bodies: dict[str, Any], path: str = "/predict") -> list[httpx.Response]:
    """All at the same time."""

    async def inside() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=make_app(served, Limits(waiting=32)), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=100) as client:
            return await asyncio.gather(*(client.post(path, json=body) for body in bodies))

    return asyncio.run(inside())


def test_a_repository_is_answered_by_its_own_model_or_the_first(served: dict[str, Served]) -> None:
    models = ServedModels(served)
    by_repo = {name: models.asked("", name) for name in ("core", "web", "api", "")}
    assert [(repo, one.name) for repo, one in by_repo.items()] == [
        *(("core", "fused"), ("web", "web"), ("api", "api"), ("", "fused"))
    ]
    adapters = {name: one.model.asker.loaded.adapter for name, one in served.items() if one.model}
    assert adapters == {"fused": "fused", "web": "web", "api": "fused"}
    heads = [one.json()["at"] for one in posted(served, *({"repo": name} for name in ("core", "web", "api", "")))]
    assert heads == [served[name].files.commit() for name in ("fused", "web", "api", "fused")]
    assert len(set(heads)) == 3


def test_what_is_not_served_is_said(served: dict[str, Served]) -> None:
    unknown, both = posted(served, {"repo": "shop"}, {"repo": "web", "model": "fused"})
    assert unknown.status_code == 404
    assert "no repository is called 'shop'; known: api, core, web" in unknown.json()["error"]["message"]
    assert (both.status_code, both.json()["error"]["param"]) == (400, "repo")


def test_no_answer_is_written_by_two(served: dict[str, Served], places: dict[str, Path]) -> None:
    prompt = "<COMMIT_START><AUTHOR>Ada<MESSAGE>work<FILE_START>src/both.py"
    body = {"prompt": prompt, "max_tokens": 12, "temperature": 1.0, "seed": 3}
    asked = [{**body, "model": name} for name in ("fused", "web", "api")]
    together = [one.json()["choices"][0]["text"] for one in posted(served, *asked * 4, path="/v1/completions")]
    alone = []
    for name in ("fused", "web"):
        one = load_all([(name, str(places[name]))], {"": str(places["folder"] / "core")}, places["folder"] / "cache", 3)
        alone += [posted(one, {**body, "model": name}, path="/v1/completions")[0].json()["choices"][0]["text"]]
        one[name].close()
    assert alone[0] != alone[1]
    assert together == [alone[0], alone[1], alone[0]] * 4


def test_repositories_without_a_model_follow_the_first_to_another(places: dict[str, Path]) -> None:
    folder = places["folder"]
    repos = {"": str(folder / "core"), "web": str(folder / "web"), "api": str(folder / "api")}
    models = [("fused", str(places["fused"])), ("web", str(places["web"]))]
    served = load_all(models, repos, folder / "cache", 3)
    before = {name: one.model for name, one in served.items()}
    new = load_all([("other", str(places["web"]))], {"": repos[""]}, folder / "cache", 3)["other"].model
    assert new
    served["fused"].use(new)
    assert served["fused"].model is new
    assert served["web"].model is before["web"]
    follower = served["api"].model
    assert follower
    assert follower.asker.loaded is new.asker.loaded
    assert (follower.asker.repo, follower.asker.copying) == (repos["api"], None)
    for one in served.values():
        one.close()
