"""Which files are repaired next, as it is shown."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner

from chat.citations import Citations
from core.git.repositories import open_repository
from thoughts.kind import Context, State
from thoughts.kinds.risk import KIND, LOG, SHOWN
from thoughts.risk.__main__ import main


def state_of(repo: Repo, tmp_path: Path, before: str = "") -> State:
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    return State(str(repo.path), git_dir, tmp_path, repo.git("rev-parse", "HEAD"), before, datetime.now(UTC))


@pytest.fixture
def repaired(make_repo: Callable[[str], Repo]) -> Repo:
    """Twenty files, of which those with an even number are repaired again and again."""
    repo = make_repo("repaired")
    repo.commit("begin", {f"part_{number}.py": "x = 1\n" for number in range(20)})
    for turn in range(40):
        number = 2 * (turn % 7)
        repo.commit(f"Fix a crash of part {number}, {turn}", {f"part_{number}.py": "if x:\n    y = 1\n" * (turn + 1)})
    return repo


def test_files_are_shown_with_their_repairs_and_with_how_good_that_was(repaired: Repo, tmp_path: Path) -> None:
    state = state_of(repaired, tmp_path)
    (given,) = KIND.inputs(state)
    outcome = KIND.run(given, Context(state, tmp_path))
    (insight,) = outcome.insights
    assert insight.title.startswith("Files that are likeliest to be repaired next (a fifth of the history ago: AUC ")
    assert len(insight.statements) == SHOWN
    assert all(int(said.text.split(".py")[0].removeprefix("part_")) % 2 == 0 for said in insight.statements)
    assert "repaired by “Fix a crash of part" in insight.statements[0].text
    with Citations(state.git_dir) as citations:
        assert {citations.problem(one) for said in insight.statements for one in said.citations} == {""}


def test_the_command_prints_the_log_again(repaired: Repo, tmp_path: Path) -> None:
    state = state_of(repaired, tmp_path)
    outcome = KIND.run(KIND.inputs(state)[0], Context(state, tmp_path))
    (insight,), (log,) = outcome.insights, outcome.artifacts
    assert log.name == insight.log == LOG
    repaired.commit("Fix what came later", {"part_1.py": "x = 2\n"})
    python, module, name, *arguments = shlex.split(insight.command)
    assert (python, module, name) == ("python", "-m", "thoughts.risk")
    assert CliRunner().invoke(main, arguments).stdout.encode() == log.data


def test_each_file_is_a_fact_of_its_blob(repaired: Repo, tmp_path: Path) -> None:
    state = state_of(repaired, tmp_path)
    facts = KIND.run(KIND.inputs(state)[0], Context(state, tmp_path)).facts
    assert {one.scope for one in facts} == {f"part_{number}.py" for number in range(20)}
    one = next(one for one in facts if one.scope == "part_0.py")
    assert one.blob == repaired.git("rev-parse", "HEAD:part_0.py")
    assert one.value["above"] > 0.5


def test_the_same_commit_is_not_asked_again(repaired: Repo, tmp_path: Path) -> None:
    assert KIND.inputs(state_of(repaired, tmp_path, before=repaired.git("rev-parse", "HEAD"))) == []


def test_without_repairs_there_is_nothing_to_show(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("young")
    repo.commit("begin", {"a.py": "x = 1\n", "notes.md": "x\n"})
    state = state_of(repo, tmp_path)
    outcome = KIND.run(KIND.inputs(state)[0], Context(state, tmp_path))
    assert not outcome.insights
    assert [one.scope for one in outcome.facts] == ["a.py"]


def test_a_repository_without_code_has_no_risk(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("prose")
    repo.commit("begin", {"notes.md": "x\n"})
    state = state_of(repo, tmp_path)
    assert not KIND.run(KIND.inputs(state)[0], Context(state, tmp_path)).facts
