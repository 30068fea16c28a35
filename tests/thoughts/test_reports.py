"""What a report says came since the last one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from builders import Repo
from kinds_made_up import KIND

from chat.citations import Citation
from chat.statements import Statement
from core.config import StudyConfig
from core.errors import UserError
from core.git.refs import head
from thoughts import report_pages
from thoughts.kind import Artifact, Cost, Insight
from thoughts.reports import KEPT_REPORTS, begin_of, reported
from thoughts.studying import Study, opened

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp()
HOUR_S = 3600.0
COST = Cost(2.0, 3_000_000)
TITLE = "fix <script>alert(1)</script> in __init__\x1b[2J"


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    """One whose clock stands."""
    repo = Repo.new(tmp_path / "repo")
    repo.commit("begin", {"a.py": "x = 1\n"})
    with opened(str(repo.path), tmp_path, StudyConfig(), kinds_known={"errand": KIND}) as study:
        at(study, NOW)
        yield study


def at(study: Study, now: float) -> None:
    study.queue.now = lambda: now


def run(study: Study, number: int, *, title: str = "", reason: str = "", cost: Cost = COST) -> None:
    """A run that finds something, or fails."""
    with study.database.write() as connection:
        study.queue.add(connection, study.key, "errand", {"number": number}, Cost(1, 1, 0, 60), priority=number)
    job = study.queue.claim(study.key, ["errand"])
    assert job
    if reason:
        study.queue.fail(job, cost, "", reason)
        return
    said = Statement("It begins.", (Citation(head(study.state.git_dir), "begin"),))

    def keep(connection: sa.Connection) -> None:
        logs = study.artifacts.keep(connection, job.run_id, [Artifact("log.txt", title.encode())], study.queue.now())
        found = [Insight(title, (said,), "git log", "log.txt")] if title else []
        study.insights.keep(connection, study.key, "errand", job.run_id, found, logs, study.queue.now())

    study.queue.finish(job, cost, "", keep)


def test_a_report_starts_where_the_last_one_that_was_kept_ended(study: Study) -> None:
    at(study, NOW - 2 * HOUR_S)
    run(study, 1, title="One")
    assert [one.title for one in reported(study, keep=True).new] == ["One"]
    at(study, NOW - HOUR_S)
    run(study, 2, title="Two")
    for _ in range(2):
        assert [one.title for one in reported(study).new] == ["Two"]
    found = reported(study, NOW - 3 * HOUR_S, keep=True)
    assert [one.title for one in found.new] == ["Two", "One"]
    assert found.since == datetime(2026, 1, 5, 9, tzinfo=UTC)
    at(study, NOW)
    later = reported(study)
    assert (later.new, later.costs, later.since) == ([], [], datetime(2026, 1, 5, 11, tzinfo=UTC))


def test_the_first_report_is_of_a_day(study: Study) -> None:
    at(study, NOW - 25 * HOUR_S)
    run(study, 1, title="Yesterday")
    at(study, NOW)
    run(study, 2, title="Today")
    found = reported(study)
    assert [one.title for one in found.new] == ["Today"]
    assert [(one.runs, one.done, one.cost.cpu_s) for one in found.costs] == [(1, 1, 2.0)]


def test_what_held_at_the_last_report_and_does_not_any_more_is_named(study: Study) -> None:
    run(study, 1, title="Holds")
    run(study, 2, title="Goes")
    lost = study.insights.shown(study.key, study.state.git_dir)[0]
    assert reported(study, keep=True).gone == []
    study.artifacts.path(lost.log).unlink()
    run(study, 3, title="Never held")
    study.artifacts.path(study.insights.shown(study.key, study.state.git_dir)[0].log).unlink()
    found = reported(study, NOW - HOUR_S, keep=True)
    assert [(one.title, one.why) for one in found.gone] == [("Goes", "nothing reproduces it")]
    assert [one.title for one in found.new] == ["Holds"]
    assert reported(study).gone == []


def test_marks_costs_and_failures_are_summed(study: Study) -> None:
    for number in range(3):
        run(study, number, title=f"Number {number}", cost=Cost(1.5, 10, 60.0))
    run(study, 3, reason="it <b>broke</b>")
    run(study, 4, reason="it <b>broke</b>")
    first, second, _ = study.insights.shown(study.key, study.state.git_dir)
    study.insights.mark(study.key, first.id, "dismissed")
    study.insights.mark(study.key, second.id, "kept")
    found = reported(study, NOW - HOUR_S)
    assert [one.title for one in found.new] == ["Number 1", "Number 0"]
    assert reported(study, NOW - 1).marked == {"dismissed": 1, "kept": 1}
    (cost,) = found.costs
    assert (cost.runs, cost.done, cost.cost.cpu_s, cost.cost.model_s) == (5, 3, 8.5, 180.0)
    assert [(one.reason, one.count, one.state) for one in found.failures] == [("it <b>broke</b>", 2, "failed")]
    lines = report_pages.lines_of(found, report_pages.escaped)
    assert any(line.endswith(", failed, 2 times: it &lt;b&gt;broke&lt;/b&gt;") for line in lines)
    assert "| errand | 5 | 3 | 8.5 | 6.0 | 3.0 |" in lines


def test_a_page_shows_what_others_wrote_and_does_nothing_with_it(study: Study, tmp_path: Path) -> None:
    run(study, 1, title=TITLE)
    path = report_pages.page_at(str(tmp_path / "new" / "report.md"))
    report_pages.write(reported(study), path)
    page = path.read_text(encoding="utf-8")
    assert "**fix &lt;script&gt;alert(1)&lt;/script&gt; in \\_\\_init\\_\\_\\\\x1b\\[2J**" in page
    assert [one.name for one in path.parent.iterdir()] == ["report.md"]
    shown = report_pages.lines_of(reported(study))
    assert any("**fix <script>alert(1)</script> in __init__\\x1b[2J**" in line for line in shown)


def test_only_the_newest_reports_are_remembered(study: Study) -> None:
    for _ in range(KEPT_REPORTS + 2):
        reported(study, keep=True)
    with study.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(sa.table("reports"))).scalar() == KEPT_REPORTS


@pytest.mark.parametrize(
    ("text", "ago_h"),
    [("12h", 12), ("7d", 168), (" 2W ", 336), ("yesterday", 36), ("2026-01-04", 36), ("2026-01-05T13:00+02:00", 1)],
)
def test_times_are_written_in_several_ways(study: Study, text: str, ago_h: float) -> None:
    assert begin_of(text, study) == NOW - ago_h * HOUR_S


@pytest.mark.parametrize("text", ["soon", "", "d", "-3d", "9" * 30 + "d", "2026-13-01"])
def test_what_is_no_time_is_refused(study: Study, text: str) -> None:
    with pytest.raises(UserError, match="is no time"):
        begin_of(text, study)
