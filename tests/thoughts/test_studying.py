"""What is due when, and what a study comes to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import Repo, grow
from kinds_made_up import KIND, Errand

from core.config import StudyConfig
from core.errors import UserError
from thoughts.kind import Input, Kind, State
from thoughts.studying import Study, opened
from thoughts.worker import Done


class Weekly(Errand):
    """Asked on Mondays."""

    name = "weekly"
    trigger = "0 6 * * 1"

    def inputs(self, state: State) -> list[Input]:
        return [{"do": "remember", "before": state.before, "day": f"{state.now:%Y-%m-%d}"}]


WEEKLY: Kind = Weekly()
DAY_S = 86_400.0


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo.new(tmp_path / "repo")
    grow(repo, 3)
    return repo


@pytest.fixture
def study(repo: Repo, tmp_path: Path) -> Iterator[Study]:
    with opened(str(repo.path), tmp_path, StudyConfig(), kinds_known={"errand": KIND, "weekly": WEEKLY}) as study:
        yield study


def test_kinds_are_asked_at_new_commits_and_at_their_times(study: Study, repo: Repo) -> None:
    now = time.time()
    study.queue.now = lambda: now
    due = study.planned()
    assert [one.kind.name for one in due] == ["errand", "weekly"]
    assert study.waiting() == 0
    assert study.plan() == 2
    assert study.planned() == []
    assert study.plan() == 0
    first = repo.git("rev-parse", "HEAD")
    second = repo.commit("one more", {"new.py": "x = 1\n"})
    assert [one.input["commit"] for one in study.planned()] == [second]
    assert study.plan() == 1
    now += 7 * DAY_S
    (due_later,) = study.planned()
    assert (due_later.kind.name, due_later.input["before"]) == ("weekly", first)


def test_a_schedule_of_the_settings_goes_before_that_of_the_kind(study: Study, repo: Repo, tmp_path: Path) -> None:
    monday = 1_704_693_600.0  # 2024-01-08 06:00 UTC
    for now, schedules, due in (
        (monday, {}, {"errand", "weekly"}),
        (monday + DAY_S, {}, set()),
        (monday + DAY_S, {"weekly": "0 5 * * *"}, {"weekly"}),  # it was asked before Tuesday at five
        (monday + 1, {"weekly": "0 5 * * *"}, set()),
        (monday + 7 * DAY_S, {"weekly": "commit"}, set()),
        (monday + DAY_S, {"errand": "0 5 * * *"}, {"errand"}),
    ):
        settings, kinds = StudyConfig(schedules=schedules), {"errand": KIND, "weekly": WEEKLY}
        with opened(str(repo.path), tmp_path, settings, kinds_known=kinds) as other:
            other.queue.now = lambda now=now: now  # type: ignore[misc]
            assert {one.kind.name for one in other.planned()} == due, (now, schedules)
            if not schedules:
                other.plan()


def test_a_study_ends_when_nothing_is_left(study: Study) -> None:
    ended: list[tuple[Done, int]] = []
    study.work(time.monotonic() + 600, lambda *one: ended.append(one))
    assert [(one.job.kind, one.state, waiting) for one, waiting in ended] == [
        ("errand", "done", 1),
        ("weekly", "done", 0),
    ]
    study.work(time.monotonic() + 600, lambda *one: ended.append(one))
    assert len(ended) == 2
    (fact,) = study.facts("newest")
    assert (fact.commit, fact.scope) == (study.state.commit, "")
    assert study.facts() == [fact]
    assert study.facts("oldest") == []


def test_a_study_ends_with_its_time_and_not_before_where_it_follows(study: Study) -> None:
    study.switch(on=False)
    study.work(time.monotonic() + 600, lambda *_: pytest.fail("nothing may start"))
    began = time.monotonic()
    study.work(began + 1, lambda *_: pytest.fail("nothing may start"), follow=True)
    assert time.monotonic() - began >= 1


def test_settings_are_checked_before_anything_is_made(repo: Repo, tmp_path: Path) -> None:
    wrong = ("night", "0 0 30 2 *", "")
    schedules = [StudyConfig(schedules={"digest": one}) for one in wrong]
    for settings in (
        StudyConfig(quiet_hours="night"), StudyConfig(time_zone="Mars"), StudyConfig(kinds=("digset",)),
        StudyConfig(schedules={"digset": "commit"}), *schedules,
    ):  # fmt: skip
        with pytest.raises(UserError), opened(str(repo.path), tmp_path / "cache", settings):
            pass
    assert not (tmp_path / "cache").exists()


def test_only_studying_changes_the_budget(study: Study, repo: Repo, tmp_path: Path) -> None:
    assert study.left()["cpu_s"] == (7200.0, 7200.0)
    other = StudyConfig(cpu_minutes=1)
    with opened(str(repo.path), tmp_path, other, kinds_known={"errand": KIND}) as looking:
        assert looking.left()["cpu_s"] == (7200.0, 7200.0)
        looking.work(time.monotonic(), lambda *_: None)
        assert looking.left()["cpu_s"] == (60.0, 60.0)


def test_an_empty_repository_cannot_be_studied(tmp_path: Path) -> None:
    empty = Repo.new(tmp_path / "empty")
    with (
        opened(str(empty.path), tmp_path, StudyConfig()) as study,
        pytest.raises(UserError, match="has no commits"),
    ):
        study.plan()
