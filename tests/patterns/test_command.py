"""python -m patterns, as people and programs call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import Repo
from click.testing import CliRunner, Result
from patterns_made_up import pattern, template, write
from team_made_up import MadeTeam, new

from core.records.patterns import Survival
from patterns.__main__ import main
from patterns.memory.local import ME, TEAM
from patterns.memory.team_memory import TeamMemory
from patterns.rendering import facts

GONE = Survival(born="c" * 40, until="d" * 40, days=30.0, lines=2, alive=0, ended_by="e" * 40, taken_back=True)
ADDED = {"problem_type": "feature_addition", "before_code": "", "survival": GONE, "with_test": False}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command in a folder that has outputs."""
    monkeypatch.chdir(tmp_path)
    added = pattern(**ADDED, pattern_id="added", file_path="lib/b.rs", language="rust", date="2025-01-01T00:00:00Z")
    write(tmp_path / "outputs/patterns.jsonl", [pattern(), added])
    write(tmp_path / "outputs/templates.jsonl", [template(), template(template_id="old", retired="expired")])
    (tmp_path / "config.yaml").write_text(f"pipeline: {{cache_dir: {tmp_path / 'cache'}}}\n")

    def run(*arguments: str, **settings: Any) -> Result:
        done = CliRunner().invoke(main, arguments, **settings)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


def test_similar_changes_are_shown_as_what_was_done(run: Any) -> None:
    shown = run("search", "close", "the", "session", "socket").stdout
    assert "[1] 0123456789abcdef match 0." in shown
    assert "cccccccccc"[:9] + " 2024-01-02 Ann, src/session.py Session.close" in shown
    assert "with a test; 2 of 2 lines stand after 400 days" in shown
    assert "    +    if self.socket:\n" in shown


def test_the_template_that_a_change_follows_is_shown() -> None:
    assert [*facts(pattern(template_id="fedcba9876543210"))][-1] == "follows template fedcba9876543210"
    assert [*facts(pattern())] == ["with a test", "2 of 2 lines stand after 400 days"]


def test_a_convention_is_shown_with_its_exact_line_and_record(run: Any) -> None:
    done = run("search", "--code", "-", "--path", "tests/a.py", input="    self.assertEqual(x, 1)\n")
    assert done.stdout.startswith("convention for tests/a.py:1: 4 commits by 2 authors\n")
    assert "  -     self.assertEqual(x, 1)\n  +     assert x == 1\n" in done.stdout
    assert "right in 3 of 3 times that it would have been offered; last in ddddddddd, 2024-01-01" in done.stdout
    found = json.loads(
        run("search", "--json", "--code", "-", "--path", "tests/a.py", input="self.assertEqual(x, 1)").stdout
    )
    assert found["conventions"][0]["becomes"] == "assert x == 1"
    assert found["conventions"][0]["template"]["template_id"] == template().template_id


def test_votes_of_the_team_are_shown(run: Any, tmp_path: Path) -> None:
    with TeamMemory(tmp_path / "outputs" / "memory") as memory:
        team = MadeTeam(memory, memory.found(TEAM, ME))
        (added,) = team.add("mia", new(1, pattern_id=pattern().pattern_id))
        team.vote("moe", added.id, True)
        team.vote("max", added.id, False)
        team.vote("ada", added.id, True)
        team.add("mia", new(2, pattern_id="added"))
    assert "votes: 2 up, 1 down" in run("search", "close", "the", "session", "socket").stdout
    assert "votes: 2 up, 1 down" in run("why", pattern().pattern_id).stdout
    assert json.loads(run("stats", "--json").stdout)["with votes"] == 1
    assert json.loads(run("stats", "--json", "--memory", "elsewhere").stdout)["with votes"] == 0
    assert not (tmp_path / "elsewhere").exists()


def test_silence_is_an_answer(run: Any) -> None:
    assert run("search", "colour", "palette").stdout == "nothing applies: the best match is 0.00, below 0.3\n"
    found = json.loads(run("search", "colour", "palette", "--json").stdout)
    assert (found["similar"], found["conventions"], found["reason"]) == ([], [], "nothing applies")
    assert run("search").exit_code == 2
    assert "nothing to search for" in run("search").stderr


def test_a_list_can_be_narrowed(run: Any) -> None:
    def ids(*options: str) -> list[str]:
        return [json.loads(line)["pattern_id"] for line in run("list", "--json", *options).stdout.splitlines()]

    first = pattern().pattern_id
    assert ids() == ["added", first]  # the newest first
    assert ids("--limit", "1") == ids("--type", "feature_addition") == ids("--path", "lib/") == ["added"]
    assert ids("--language", "python") == ids("--with-test") == ids("--standing") == [first]
    assert "1 of 2" in run("list", "--limit", "1").stdout
    assert run("list", "--path", "none").stdout == "there are no such patterns\n"


def test_one_pattern_and_why(run: Any, tmp_path: Path) -> None:
    assert json.loads(run("show", "added").stdout)["file_path"] == "lib/b.rs"
    why = run("why", "added").stdout
    assert "without a test; taken back by eeeeeeeee after 30 days" in why
    assert "closes #12" in why
    assert "plain code" not in why
    repo = Repo.new(tmp_path / "repo")
    repo.commit("one", {"session.py": "def close(session):\n    session.socket.close()\n"})
    shown = run("why", pattern().pattern_id, "--repo", str(repo.path))
    assert shown.stdout.endswith("plain code that is nearest to it:\n  session.py:1-2 close\n")
    as_json = json.loads(run("why", pattern().pattern_id, "--repo", str(repo.path), "--json").stdout)
    assert as_json["nearest_plain_code"] == ["session.py:1-2 close"]
    assert run("show", "addde").exit_code == 2
    assert "did you mean 'added'?" in run("show", "addde").stderr


def test_figures(run: Any) -> None:
    found = json.loads(run("stats", "--json").stdout)
    assert found == {
        "patterns": 2, "templates": 2, "bug_fix": 1, "feature_addition": 1, "with a test": 1, "standing": 1,
        "taken back": 1, "made more than once": 0, "with votes": 0, "templates offered": 1, "templates expired": 1,
    }  # fmt: skip
    assert "bug fix" in run("stats").stdout


def test_a_check_that_finds_something_fails(run: Any, tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "repo")
    repo.commit("one", {"a.py": "x = 1\n"})
    done = run("check", "--repo", str(repo.path))
    assert done.exit_code == 1
    assert done.stdout == "3 sides: no evidence\n  0123456789abcdef\n  added\n"
    assert json.loads(run("check", "--repo", str(repo.path), "--json").stdout)["sides"] == {"no evidence": 3}


def test_patterns_go_to_another_folder(run: Any, tmp_path: Path) -> None:
    assert run("export", "--standing", "some.jsonl").stdout == "1 patterns in some.jsonl\n"
    assert run("--outputs", "mine", "import", "some.jsonl").stdout == "1 patterns added, 0 were known already\n"
    assert run("--outputs", "mine", "import", "some.jsonl").stdout == "0 patterns added, 1 were known already\n"
    assert "Session.close" in run("--outputs", "mine", "search", "close the session socket").stdout
    (tmp_path / "outputs/.gitlore").mkdir()
    done = run("import", "some.jsonl")
    assert done.exit_code == 2
    assert "written by the pipeline" in done.stderr


def test_what_is_not_there_is_said(run: Any) -> None:
    done = run("--outputs", "nowhere", "stats")
    assert done.exit_code == 2
    assert "there is no nowhere/patterns.jsonl" in done.stderr
    assert "--stage pattern_miner" in done.stderr
    assert run("--outputs", "mine", "import", "missing.jsonl").exit_code != 0


def test_what_a_terminal_would_act_on_is_spelled_out(run: Any, tmp_path: Path) -> None:
    hostile = pattern(commit_msg="close \x1b[2J session", file_path="a\x1b[1m.py", author="A\u202eB")
    write(tmp_path / "outputs/patterns.jsonl", [hostile])
    for arguments in (["search", "close session"], ["why", hostile.pattern_id], ["list"]):
        assert "\x1b[2J" not in run(*arguments).stdout
        assert "\u202e" not in run(*arguments).stdout
