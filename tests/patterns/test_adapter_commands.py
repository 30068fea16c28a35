"""The team's adapters on the command line: the same on a database and on a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from adapters_made_up import BETTER, archived, fused, variant
from click.testing import CliRunner, Result
from made_adapters import change_info
from starlette.testclient import TestClient
from team_made_up import MadeTeam

from patterns.__main__ import main
from patterns.memory import remote
from patterns.memory.team_memory import TeamMemory
from services.app import make_app
from services.http.limits import Limits

Run = Callable[..., Result]
URL = "http://localhost"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MadeTeam]:
    monkeypatch.chdir(tmp_path)
    with TeamMemory("outputs/team") as memory:
        yield MadeTeam(memory, memory.found("shop", "ada"))


@pytest.fixture(params=["database", "server"])
def run(request: pytest.FixtureRequest, made: MadeTeam, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command on the team's database, or against its server as its admin."""
    place = ["--remote", URL] if request.param == "server" else []

    def command(*words: str) -> Result:
        return CliRunner().invoke(main, ["adapters", *words, *place], prog_name="python -m patterns")

    monkeypatch.delenv("GITLORE_API_KEY", raising=False)
    monkeypatch.setenv("GITLORE_TEAM_KEY", made.key("ada"))
    with TestClient(make_app({}, Limits(), team=made.memory), base_url=URL) as client:
        monkeypatch.setattr(remote.httpx, "Client", lambda **_: client)
        monkeypatch.setattr(client, "close", lambda: None)
        yield command


def ids(made: MadeTeam) -> list[str]:
    return [row["id"] for row in made.of("rob").adapters.page(10)["adapters"]]


def test_an_adapter_goes_the_whole_way(run: Run, made: MadeTeam, adapter: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("click", "flask"), 1):
        done = run("add", str(fused(adapter, tmp_path / name / "outputs" / "model", number, BETTER)))
        assert done.exit_code == 0, done.output
        assert f"{ids(made)[0][:12]} {name}: added" in done.output
    assert "known already" in run("add", "click/outputs/model").output
    first, second = reversed(ids(made))
    assert f"{first[:12]} is active" in run("activate", "click").output
    assert f"{second[:12]} is active" in run("activate", second[:9], "--replaces", first).output
    listed = run("list").output.splitlines()
    assert [line[:14] for line in listed] == [f"* {second[:12]}", f"  {first[:12]}"]
    assert "flask  delta rank 4 of" in listed[0]
    assert f"{first[:12]} is active" in run("rollback", "--reason", "worse").output
    assert json.loads(run("show", "click").output)["active"] is True
    assert [json.loads(line)["id"] for line in run("list", "--json").output.splitlines()] == [second, first]
    assert run("download", "click", "--output", "copy").exit_code == 0
    assert archived(tmp_path / "copy") == archived(tmp_path / "click" / "outputs" / "model")


def test_what_is_not_better_is_forced_with_a_reason(run: Run, adapter: Path, tmp_path: Path) -> None:
    added = run("add", str(variant(adapter, tmp_path / "own", 1)), "--name", "own")
    assert "activating it needs --force and a --reason: it was not measured" in added.output
    assert "(it was not measured" in run("list").output
    refused = run("activate", "own")
    assert (refused.exit_code, "own is not activated: it was not measured" in refused.output) == (2, True)
    assert run("activate", "own", "--force").exit_code == 2
    assert run("activate", "own", "--force", "--reason", "a trial").exit_code == 0


def test_adapters_are_merged(run: Run, made: MadeTeam, adapter: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("click", "flask", "other"), 1):
        folder = variant(adapter, tmp_path / name, number)
        if name == "other":
            change_info(folder, base_sha256="f" * 64)
        assert run("add", str(folder)).exit_code == 0
    done = run("merge", "click", "flask", "--name", "both", "--weight", "3", "--weight", "1")
    assert done.exit_code == 0, done.output
    assert f"{ids(made)[0][:12]} both: added; its figures are not measured" in done.output
    refused = run("merge", "click", "other", "--name", "none")
    assert refused.exit_code == 2
    assert "different weights" in refused.output
    assert "the merge was refused" in refused.output
    assert run("merge", "click", "--name", "one").exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "nowhere"), "not found: nowhere"),
        (("add", "nowhere", "--name", "one"), "holds no adapter"),
        (("show", "nothing"), "the team has no adapter 'nothing'"),
        (("activate", "nothing"), "the team has no adapter 'nothing'"),
        (("rollback",), "no adapter is active"),
        (("download", "nothing", "--output", "copy"), "the team has no adapter 'nothing'"),
        (("download", "nothing", "--output", "."), "already exists"),
    ],
)
def test_what_is_wrong_is_a_sentence(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert not Path("copy").exists()


def test_a_team_without_adapters_says_so(run: Run) -> None:
    assert run("list").output == "the team has no adapters\n"


def test_a_file_that_comes_otherwise_is_not_kept(made: MadeTeam, run: Run, adapter: Path, tmp_path: Path) -> None:
    run("add", str(variant(adapter, tmp_path / "own", 1)))
    path = made.of("ada").adapters.files.path(ids(made)[0])
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    done = run("download", "own", "--output", "copy")
    assert done.exit_code == 1
    assert "is damaged" in done.output or "did not come as a whole" in done.output
    assert not Path("copy").exists()
