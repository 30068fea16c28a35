"""Findings of rules that a history acted upon, as they are shown. The tool is one of the tests' own."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner

from chat.citations import Citations
from core.config import StudyConfig
from core.git import commands, trees
from core.git.repositories import open_repository
from thoughts.insights import problem
from thoughts.kind import Context, Outcome, State
from thoughts.kinds.smell_hunt import KIND, LOG
from thoughts.marks import Marked
from thoughts.smells import hunt
from thoughts.smells.__main__ import main
from thoughts.smells.findings import Finding, Looked, Tool

YEAR_S = 365 * 86_400
LOOKED_AT: list[str] = []


def findings(git_dir: Path, commit: str, tool: Tool, tier: object, most_files: int = 0) -> Looked:
    """Each `# RULE` in the files of a commit is a finding of ruff."""
    LOOKED_AT.append(commit)
    found, lines = [], {}
    for path in trees.files_of(git_dir, commit):
        rows = commands.run(git_dir, "show", f"{commit}:{path}").decode().splitlines()
        lines[path] = len(rows)
        found += [
            Finding(f"ruff {match[1]}", path, row, row, "look here")
            for row, text in enumerate(rows, 1)
            for match in re.finditer(r"# (\w+)", text)
        ]
    return Looked(found, lines)


@pytest.fixture(autouse=True)
def tool(monkeypatch: pytest.MonkeyPatch) -> None:
    LOOKED_AT.clear()
    monkeypatch.setattr(hunt, "findings_at", findings)
    monkeypatch.setattr(hunt, "best_tier", lambda: None)


@pytest.fixture
def acted(make_repo: Callable[[str], Repo]) -> Repo:
    """Two years, in each of which what GOOD says is changed, and what BAD says is left."""
    repo = make_repo("acted")
    plain = "".join(f"x{row} = 1\n" for row in range(60))
    for year in range(3):
        rows = [f"y{row} = {year}  # {'GOOD' if row < 8 else 'BAD'}\n" for row in range(8)]
        rows += [f"z{row} = 1  # BAD\n" for row in range(8)]
        repo.commit(f"year {year}", {"a.py": plain + "".join(rows)})
        repo.clock += YEAR_S
    repo.commit("now", {"b.py": "v = 1  # GOOD\nw = 1  # BAD\n"})
    return repo


def state_of(repo: Repo, tmp_path: Path, before: str = "") -> State:
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    return State(str(repo.path), git_dir, tmp_path, repo.git("rev-parse", "HEAD"), before, datetime.now(UTC))


def studied(
    repo: Repo, tmp_path: Path, before: str = "", past: Outcome | None = None, marked: Sequence[Marked] = ()
) -> Outcome:
    state = state_of(repo, tmp_path, before)
    (given,) = KIND.inputs(state)
    facts = {"uptake": list(past.facts)} if past else {}
    return KIND.run(given, Context(state, tmp_path, lambda name: facts.get(name, []), marked=lambda: list(marked)))


def places(outcome: Outcome) -> list[str]:
    return [said.text.split(": ")[0] for one in outcome.insights for said in one.statements]


def said_of(outcome: Outcome, state: str) -> list[Marked]:
    return [Marked(one.title, one.statements, state) for one in outcome.insights]


def test_findings_of_rules_that_were_acted_upon_are_shown_and_hold(acted: Repo, tmp_path: Path) -> None:
    outcome = studied(acted, tmp_path)
    (insight,) = outcome.insights
    assert places(outcome) == [f"a.py:{row}" for row in range(61, 66)]
    why = "of 16 in the past years, 16 were changed within a year (by chance 10.5% are)"
    assert insight.title == f"ruff GOOD: 5 findings; {why}"
    assert insight.statements[0].text == "a.py:61: look here."
    with Citations(acted.path / ".git") as citations:
        assert {citations.problem(one) for said in insight.statements for one in said.citations} == {""}


def test_after_the_first_time_only_new_lines_count(acted: Repo, tmp_path: Path) -> None:
    outcome = studied(acted, tmp_path, before=acted.git("rev-parse", "HEAD~1"))
    assert [one.title.split(";")[0] for one in outcome.insights] == ["ruff GOOD: 1 finding"]
    assert places(outcome) == ["b.py:1"]


def test_what_became_of_past_findings_is_found_out_once(acted: Repo, tmp_path: Path) -> None:
    first = studied(acted, tmp_path)
    assert len(LOOKED_AT) == 3
    assert len(first.facts) == 2
    LOOKED_AT.clear()
    again = studied(acted, tmp_path, past=first)
    assert [acted.git("rev-parse", "HEAD")] == LOOKED_AT
    assert again == first


def test_the_command_prints_the_log_again(acted: Repo, tmp_path: Path) -> None:
    before = acted.git("rev-parse", "HEAD~1")
    outcome = studied(acted, tmp_path, before)
    (insight,), (every, log) = outcome.insights, outcome.artifacts
    assert every.name == LOG
    assert every.data.startswith(b"ruff: 18 findings in 2 files, 2 in new lines; ")
    assert log.name == insight.log
    assert log.data.endswith(b"\nb.py:1: look here\n")
    acted.commit("later", {"b.py": "v = 2  # GOOD\n"})
    python, module, name, *arguments = shlex.split(insight.command)
    assert (python, module, name) == ("python", "-m", "thoughts.smells")
    assert CliRunner().invoke(main, arguments).stdout.encode() == log.data


def test_what_was_dismissed_stays_away_while_its_lines_are_the_same(acted: Repo, tmp_path: Path) -> None:
    first = studied(acted, tmp_path)
    (dismissed,) = said_of(first, "dismissed")
    (kept,) = said_of(first, "kept")
    marked = [Marked(dismissed.title, dismissed.statements[:2], "dismissed"), *[kept] * 3]
    body = acted.git("show", "HEAD:a.py").splitlines()
    body[61] = "changed = 1  # GOOD"  # the second of those that were dismissed
    acted.commit("moved", {"a.py": "\n".join(["import os", *body]) + "\n"})
    again = studied(acted, tmp_path, marked=marked)
    assert places(again) == [f"a.py:{row}" for row in range(63, 68)]


def test_a_rule_whose_findings_are_dismissed_is_not_shown_any_more(acted: Repo, tmp_path: Path) -> None:
    outcome = studied(acted, tmp_path)
    marked = said_of(outcome, "dismissed") * 3
    acted.commit("more", {"c.py": "v = 1  # GOOD\n"})
    before = acted.git("rev-parse", "HEAD~1")
    assert places(studied(acted, tmp_path, before, marked=said_of(outcome, "dismissed"))) == ["c.py:1"]
    assert not studied(acted, tmp_path, before, marked=marked * 2).insights
    assert places(studied(acted, tmp_path, before, marked=marked * 2 + said_of(outcome, "kept") * 4)) == ["c.py:1"]


def test_lines_with_a_credential_are_not_quoted(acted: Repo, tmp_path: Path) -> None:
    before = acted.git("rev-parse", "HEAD")
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"[:16]
    acted.commit("Talk to the API", {"c.py": f'token = "{token}"  # GOOD\n'})
    outcome = studied(acted, tmp_path, before)
    (insight,) = outcome.insights
    (statement,) = insight.statements
    (cited,) = statement.citations
    assert (cited.path, cited.quote, cited.commit) == ("", "Talk to the API", acted.git("rev-parse", "HEAD"))
    assert statement.text == f"c.py:1: look here. Commit {cited.commit[:9]} was the last to change it."
    logs = {one.name: one for one in outcome.artifacts}
    with Citations(acted.path / ".git") as citations:
        assert problem(insight, logs, citations) == ""
    assert not any(token.encode() in one.data for one in outcome.artifacts)
    assert not studied(acted, tmp_path, before, marked=said_of(outcome, "dismissed")).insights


def test_rules_for_semgrep_that_cannot_be_asked_are_said(
    acted: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = StudyConfig(smell_tools=(), semgrep_rules=(str(tmp_path),), semgrep=str(tmp_path / "semgrep"))
    state = replace(state_of(acted, tmp_path), settings=settings)
    (given,) = KIND.inputs(state)
    assert given["tools"] == []
    assert KIND.run(given, Context(state, tmp_path)).insights == []
    assert "semgrep is not installed here" in capsys.readouterr().out


def test_of_an_area_only_its_findings_are_shown_by_the_whole_past(
    acted: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = acted.git("rev-parse", "HEAD")
    acted.commit("more", {"lib/c.py": "v = 1  # GOOD\n", "library/d.py": "v = 1  # GOOD\n"})
    settings = StudyConfig(areas=("lib", "nowhere"))
    state = replace(state_of(acted, tmp_path, before), settings=settings)
    given, missing = KIND.inputs(state)
    outcome = KIND.run(given, Context(state, tmp_path))
    assert places(outcome) == ["lib/c.py:1"]
    (insight,) = outcome.insights
    logs = {one.name: one.data for one in outcome.artifacts}
    assert "1 in new lines below lib;" in logs[insight.log].decode()
    words = shlex.split(insight.command)
    assert words[-2:] == ["--below", "lib"]
    assert CliRunner().invoke(main, words[3:]).stdout.encode() == logs[insight.log]
    capsys.readouterr()
    assert KIND.run(missing, Context(state, tmp_path)) == Outcome()
    assert "there is no folder 'nowhere' at " in capsys.readouterr().out


def test_a_line_is_shown_once_for_a_rule(acted: Repo, tmp_path: Path) -> None:
    before = acted.git("rev-parse", "HEAD")
    acted.commit("twice", {"c.py": "v = 1  # GOOD # GOOD\nw = 1  # GOOD\n"})
    assert places(studied(acted, tmp_path, before)) == ["c.py:1", "c.py:2"]


def test_a_job_finds_what_was_named_from_another_folder(
    acted: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    settings = StudyConfig(semgrep_rules=("rules", "~/a.yaml"), semgrep="venv/bin/semgrep")
    (given,) = KIND.inputs(replace(state_of(acted, tmp_path), settings=settings))
    assert given["rules"] == [str(tmp_path / "rules"), "/home/ada/a.yaml"]
    assert given["semgrep"] == str(tmp_path / "venv/bin/semgrep")


def test_a_history_that_acts_upon_nothing_hears_nothing(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("quiet")
    for year in range(3):
        repo.commit(f"year {year}", {"a.py": "z = 1  # BAD\n" * 9, "n.py": f"x = {year}\n"})
        repo.clock += YEAR_S
    outcome = studied(repo, tmp_path)
    assert not outcome.insights
    assert outcome.facts


def test_after_a_force_push_all_is_looked_at(acted: Repo, tmp_path: Path) -> None:
    (given,) = KIND.inputs(state_of(acted, tmp_path, before="1" * 40))
    assert given["old"] == ""
    assert KIND.inputs(state_of(acted, tmp_path, before=acted.git("rev-parse", "HEAD"))) == []
