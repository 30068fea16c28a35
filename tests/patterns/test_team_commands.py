"""The team's memory on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from starlette.testclient import TestClient
from team_made_up import convention, new

from core.records.patterns import Evidence, Pattern, Survival, Template
from patterns.__main__ import main
from patterns.memory import remote
from patterns.memory.local import LocalMemory
from patterns.memory.team_memory import TeamMemory
from services import listening

KEY = re.compile(r"glk_[a-z0-9]{8}_[\w-]{43}")


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITLORE_API_KEY", "GITLORE_TEAM_KEY"):
        monkeypatch.delenv(name, raising=False)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), prog_name="python -m patterns")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Starts what is served in this process, and gives clients of it to those who ask over HTTP."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(listening, "listen", lambda app, *_, **__: found.update(app=app))
    first = run("serve", "--team", "shop", "--admin", "ada")
    assert first.exit_code == 0, first.output
    found["key"] = KEY.findall(first.output)[0]
    memory = TeamMemory("outputs/team", create=False)  # the command has closed its own, since nothing listens
    from services.app import make_app
    from services.http.limits import Limits

    client = TestClient(make_app({}, Limits(), team=memory), base_url="http://localhost")
    monkeypatch.setattr(remote.httpx, "Client", lambda **_: client)
    monkeypatch.setattr(client, "close", lambda: None)
    yield found
    memory.close()


def mined(number: int, **values: Any) -> Pattern:
    """A pattern as a pipeline writes it."""
    one = new(number)
    evidence = [Evidence(commit=letter * 40, path=one.file_path, old_path=one.file_path) for letter in "bc"]
    filled: dict[str, Any] = {
        "pattern_id": one.pattern_id,
        "problem_type": "bug_fix",
        "before_code": one.code_before,
        "after_code": one.code_after,
        "commit_msg": one.commit_msg,
        "author": one.author,
        "date": one.date,
        "confidence": 0.5,
        "repository": one.repository,
        "commit": one.commit,
        "chunk_id": "0",
        "file_path": one.file_path,
        "language": "python",
        "symbol": "mean",
        "signature": "def mean():",
        "change_kind": "condition",
        "solution_hash": "a" * 64,
        "shape_hash": "b" * 64,
        "with_test": True,
        "survival": Survival(born="b" * 40, until="d" * 40, days=3.0, lines=1, alive=1),
        "evidence": evidence,
    }
    return Pattern(**filled | values)


def write(path: Path, *patterns: Pattern) -> None:
    path.write_bytes(b"\n".join(msgspec.json.encode(one) for one in patterns) + b"\n")


def test_the_first_start_makes_a_team_and_prints_its_key_once(served: dict[str, Any]) -> None:
    again = run("serve")
    assert again.exit_code == 0
    assert KEY.findall(again.output) == []
    with TeamMemory("outputs/team", create=False) as memory:
        identity = memory.identify(served["key"])
        assert identity is not None
        assert (identity.team, identity.member, identity.role) == ("shop", "ada", "admin")


def test_members_and_keys_come_and_go(served: dict[str, Any]) -> None:
    assert run("member", "add", "mia", "--email", "mia@example.org").exit_code == 0
    made = run("key", "create", "--member", "mia", "--label", "laptop", "--days", "30")
    key = made.output.strip()
    assert KEY.fullmatch(key)
    listed = run("key", "list", "--json").output
    assert [json.loads(line)["member"] for line in listed.splitlines()] == ["ada", "mia"] or "mia" in listed
    assert key not in listed
    assert "mia  mia@example.org  member" in run("member", "list").output
    with TeamMemory("outputs/team", create=False) as memory:
        assert memory.identify(key) is not None
        assert run("key", "revoke", key[4:12]).exit_code == 0
        assert memory.identify(key) is None
        other = run("key", "create", "--member", "mia").output.strip()
        assert memory.identify(other) is not None
        assert run("member", "disable", "mia").exit_code == 0
        assert memory.identify(other) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("member", "list", "--database", "nowhere"), "no team_memory database at"),
        (("member", "list", "--team", "other"), "has no team other"),
        (("member", "add", "ada"), "a member ada already"),
        (("key", "revoke", "abcdefgh"), "no key abcdefgh"),
        (("key", "create", "--member", "eve"), "no member eve"),
        (("push", "--remote", "http://localhost"), "set GITLORE_TEAM_KEY"),
        (("push", "--remote", "localhost"), "no URL"),
        (("push", "--remote", "http://localhost", "--patterns", "nowhere.jsonl"), "GITLORE_TEAM_KEY"),
    ],
)
def test_what_is_wrong_is_a_sentence(served: dict[str, Any], words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert said in done.output
    assert not Path("nowhere").exists()


def test_patterns_of_a_pipeline_reach_the_team_once(served: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLORE_TEAM_KEY", served["key"])
    write(Path("patterns.jsonl"), mined(1), mined(2), mined(3, after_code="x" * 20_000))
    words = ("sync", "--remote", "http://localhost", "--patterns", "patterns.jsonl", "--cache-dir", "cache")
    first = run(*words)
    assert first.exit_code == 0, first.output
    assert "4 delivered, 0 refused, 2 read" in first.output
    assert "1 lines of patterns.jsonl left out" in first.output
    assert "0 delivered, 0 refused, 0 read" in run(*words).output
    with TeamMemory("outputs/team", create=False) as memory:
        admin = memory.admin()
        assert admin is not None
        rows = memory.team(admin).reading.news("", 10).patterns
    assert [(row["occurrence_count"], row["change_kind"], row["survival"]["days"]) for row in rows] == [
        (2, "condition", 3.0)
    ] * 2
    assert all(row["author"].endswith("@redacted.invalid>") for row in rows)
    assert run("recount").output == "every count follows from the votes\n"


def test_conventions_of_a_pipeline_reach_the_team(served: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLORE_TEAM_KEY", served["key"])
    Path("templates.jsonl").write_bytes(msgspec.json.encode(Template(**convention(0).model_dump())) + b"\n")
    words = ("sync", "--remote", "http://localhost", "--templates", "templates.jsonl", "--cache-dir", "cache")
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert "1 delivered, 0 refused, 0 read" in done.output
    assert "0 delivered" in run(*words).output


def test_addresses_leave_as_they_are_by_choice_alone(served: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLORE_TEAM_KEY", served["key"])
    write(Path("patterns.jsonl"), mined(1))
    run(
        "push", "--remote", "http://localhost", "--patterns", "patterns.jsonl", "--cache-dir", "cache", "--share-emails"
    )
    local = LocalMemory("outputs/memory")
    assert {row["author"] for row in local.team.reading.news("", 10).patterns} == {"Ada <ada@example.org>"}
    local.close()


def test_a_broken_file_is_a_sentence(served: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLORE_TEAM_KEY", served["key"])
    Path("patterns.jsonl").write_text("{broken\n")
    done = run("push", "--remote", "http://localhost", "--patterns", "patterns.jsonl", "--cache-dir", "cache")
    assert done.exit_code == 2
    assert "patterns.jsonl" in done.output
    assert "Traceback" not in done.output


def test_counts_that_do_not_follow_are_found_and_what_is_old_is_purged(served: dict[str, Any]) -> None:
    assert "0 patterns purged" in run("purge").output
    with TeamMemory("outputs/team", create=False) as memory:
        admin = memory.admin()
        assert admin is not None
        team = memory.team(admin)
        from patterns.memory.operations import Add

        (outcome,) = team.apply([Add(pattern=new(1))])
        with memory.database.write() as connection:
            team.scope.update(connection, "patterns", {"id": outcome.id}, up=3)
    done = run("recount")
    assert done.exit_code == 1
    assert "has 3 votes up" in done.output
