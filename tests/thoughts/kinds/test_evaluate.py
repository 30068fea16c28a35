"""A series of how well questions are answered; what changes beyond chance is shown."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from builders import Repo

from chat.citations import Citations
from core.git.repositories import open_repository
from index.evaluation import Evaluation, Figures
from thoughts.kind import Context, Fact, Outcome, State
from thoughts.kinds import evaluate
from thoughts.kinds.evaluate import FACT, KIND, LOG


def figures(mrr: float, questions: int = 40) -> Figures:
    return Figures("full", "files", questions, {"index": mrr}, 0.05, {"index": 1.0}, 0.0, None, None)


@pytest.fixture
def built(make_repo: Callable[[str], Repo]) -> Repo:
    repo = make_repo("evaluated")
    for number in range(2):
        repo.commit(f"Commit {number}", {"a.py": f"def a(): return {number}\n"})
    return repo


@pytest.fixture
def state(built: Repo, tmp_path: Path) -> State:
    (tmp_path / "cache").mkdir()
    git_dir = open_repository(str(built.path), tmp_path).git_dir
    return State(str(built.path), git_dir, tmp_path / "cache", built.git("rev-parse", "HEAD"), "", datetime.now(UTC))


def ran(state: State, known: list[dict[str, Any]], found: list[Figures], commit: str = "") -> Outcome:
    commit = commit or state.commit
    folder = Path(tempfile.mkdtemp(dir=state.cache_dir))
    facts = [Fact(FACT, "", {"nights": known}, commit)] if known else []
    evaluation = Evaluation(commit, 80, is_whole=True, figures=found, verdicts=["files: as they were"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "evaluated", lambda *_: evaluation)
        return KIND.run({"commit": commit}, Context(state, folder, lambda _: facts))


def nights_of(outcome: Outcome) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = outcome.facts[0].value["nights"]
    return found


def test_a_night_is_added_and_little_changes_are_not_shown(built: Repo, state: State) -> None:
    first = ran(state, [], [figures(0.5)], built.git("rev-parse", "HEAD~1"))
    assert nights_of(first)[0]["kinds"] == {"full files": {"mrr": 0.5, "error": 0.05, "questions": 40}}
    second = ran(state, nights_of(first), [figures(0.67)])
    assert [one["kinds"]["full files"]["mrr"] for one in nights_of(second)] == [0.5, 0.67]
    assert not [*first.insights, *second.insights]


def test_a_change_beyond_chance_is_shown_once(built: Repo, state: State) -> None:
    before = nights_of(ran(state, [], [figures(0.5)], built.git("rev-parse", "HEAD~1")))
    outcome = ran(state, before, [figures(0.3)])
    (insight,) = outcome.insights
    assert insight.title == f"Questions of the history are answered worse than at {before[0]['commit'][:9]}"
    assert "0.500 at" in insight.statements[0].text
    assert "0.300 at" in insight.statements[0].text
    assert insight.command.endswith(f"--commit {state.commit} --eval")
    assert insight.log == LOG == outcome.artifacts[0].name
    with Citations(state.git_dir) as citations:
        assert {citations.problem(one) for one in insight.statements[0].citations} == {""}
    again = ran(state, nights_of(outcome), [figures(0.31)])
    assert not again.insights


def test_few_questions_prove_nothing(state: State) -> None:
    before = nights_of(ran(state, [], [figures(0.9, 5)]))
    assert not ran(state, before, [figures(0.1, 5)]).insights


def test_the_series_is_bounded(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "MOST_KEPT", 2)
    nights: list[dict[str, Any]] = []
    for _ in range(4):
        nights = nights_of(ran(state, nights, [figures(0.5)]))
    assert len(nights) == 2


def test_a_repository_that_has_no_questions_has_no_figures(state: State, tmp_path: Path) -> None:
    assert not KIND.run({"commit": state.commit}, Context(state, tmp_path)).facts


def test_the_same_commit_is_not_asked_again(state: State) -> None:
    assert KIND.inputs(state) == [{"commit": state.commit}]
    assert KIND.inputs(replace(state, before=state.commit)) == []
