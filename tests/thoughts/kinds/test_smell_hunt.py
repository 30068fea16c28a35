"""Findings of rules that a history acted upon, as they are shown. The tool is one of the tests' own."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner

from chat.citations import Citations
from core.git import commands, trees
from core.git.repositories import open_repository
from thoughts.kind import Context, Outcome, State
from thoughts.kinds.smell_hunt import KIND, LOG
from thoughts.smells import hunt
from thoughts.smells.__main__ import main
from thoughts.smells.findings import Finding, Looked

YEAR_S = 365 * 86_400
LOOKED_AT: list[str] = []


def marks(git_dir: Path, commit: str, tools: Sequence[object], tier: object) -> Looked:
    """Each `# RULE` in the files of a commit is a finding."""
    LOOKED_AT.append(commit)
    found, lines = [], {}
    for path in trees.files_of(git_dir, commit):
        rows = commands.run(git_dir, "show", f"{commit}:{path}").decode().splitlines()
        lines[path] = len(rows)
        found += [
            Finding(match[1], path, row, row, "look here")
            for row, text in enumerate(rows, 1)
            if (match := re.search(r"# (\w+)", text))
        ]
    return Looked(found, lines, is_cut_off=False)


@pytest.fixture(autouse=True)
def tool(monkeypatch: pytest.MonkeyPatch) -> None:
    LOOKED_AT.clear()
    monkeypatch.setattr(hunt, "findings_at", marks)
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


def studied(repo: Repo, tmp_path: Path, before: str = "", past: Outcome | None = None) -> Outcome:
    state = state_of(repo, tmp_path, before)
    (given,) = KIND.inputs(state)
    facts = {"uptake": list(past.facts)} if past else {}
    return KIND.run(given, Context(state, tmp_path, lambda name: facts.get(name, [])))


def test_findings_of_rules_that_were_acted_upon_are_shown_and_hold(acted: Repo, tmp_path: Path) -> None:
    outcome = studied(acted, tmp_path)
    (insight,) = outcome.insights
    assert insight.title == "5 findings of rules that this repository acts upon"
    assert [one.text.split(": ")[0] for one in insight.statements] == [f"a.py:{row}" for row in range(61, 66)]
    assert "look here (GOOD: of 16 in the past years, 16 were changed within a year)." in insight.statements[0].text
    with Citations(acted.path / ".git") as citations:
        assert {citations.problem(one) for said in insight.statements for one in said.citations} == {""}


def test_after_the_first_time_only_new_lines_count(acted: Repo, tmp_path: Path) -> None:
    outcome = studied(acted, tmp_path, before=acted.git("rev-parse", "HEAD~1"))
    (insight,) = outcome.insights
    assert [one.text.split(": ")[0] for one in insight.statements] == ["b.py:1"]


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
    (insight,), (log,) = outcome.insights, outcome.artifacts
    assert log.name == insight.log == LOG
    assert log.data.startswith(b"18 findings in 2 files, 2 in new lines; ")
    acted.commit("later", {"b.py": "v = 2  # GOOD\n"})
    python, module, name, *arguments = shlex.split(insight.command)
    assert (python, module, name) == ("python", "-m", "thoughts.smells")
    assert CliRunner().invoke(main, arguments).stdout.encode() == log.data


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
