"""Which files are repaired next, as it is shown."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner

from chat.citations import Citations
from core.config import StudyConfig
from core.git.repositories import open_repository
from thoughts.insights import Wanted
from thoughts.kind import Context, Outcome, State, digest_of
from thoughts.kinds.risk import KIND, LOG, SHOWN
from thoughts.risk.__main__ import main
from thoughts.studying import opened


def state_of(repo: Repo, tmp_path: Path, before: str = "") -> State:
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    return State(str(repo.path), git_dir, tmp_path, repo.git("rev-parse", "HEAD"), before, datetime.now(UTC))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Twenty files, of which those with an even number are repaired again and again. Not to be changed."""
    repo = Repo.new(tmp_path_factory.mktemp("made") / "repaired")
    repo.commit("begin", {f"part_{number}.py": "x = 1\n" for number in range(20)})
    for turn in range(40):
        number = 2 * (turn % 7)
        repo.commit(f"Fix a crash of part {number}, {turn}", {f"part_{number}.py": "if x:\n    y = 1\n" * (turn + 1)})
    return repo


@pytest.fixture
def repaired(made: Repo, tmp_path: Path) -> Repo:
    """The same, to be changed."""
    return Repo(shutil.copytree(made.path, tmp_path / "repaired"), made.clock)


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


LCOV = """SF:/ci/shop/part_0.py
DA:1,1
DA:2,0
end_of_record
SF:/ci/shop/part_1.py
DA:1,0
end_of_record
SF:/ci/shop/made.py
DA:1,1
"""


def with_reports(repo: Repo, tmp_path: Path, *paths: Path, before: str = "") -> State:
    settings = StudyConfig(coverage=tuple(map(str, paths)))
    return replace(state_of(repo, tmp_path, before), settings=settings)


def test_coverage_is_shown_beside_the_same_order(
    repaired: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "lcov.info"
    report.write_text(LCOV)
    state = with_reports(repaired, tmp_path, report, tmp_path / "missing.xml")
    outcome = KIND.run(KIND.inputs(state)[0], Context(state, tmp_path))
    said = capsys.readouterr().out
    assert f"{tmp_path}/missing.xml cannot be read as a coverage report: it is not there, or no file\n" in said
    assert "coverage is known of 2 source files: tests ran 33% of 3 lines that can run; left out of the re" in said
    texts = [one.text for one in outcome.insights[0].statements]
    assert ["; tests ran 50% of its 2 lines that can run; repaired by “" in one for one in texts].count(True) == 1
    values = {one.scope: dict(one.value) for one in outcome.facts}
    assert values["part_0.py"].pop("coverage") == {"ran": 1, "lines": 2}
    assert values["part_1.py"].pop("coverage") == {"ran": 0, "lines": 1}
    plain = KIND.run({"commit": state.commit}, Context(state, tmp_path))
    assert values == {one.scope: one.value for one in plain.facts}


def test_what_was_read_of_reports_is_kept_for_the_command(repaired: Repo, tmp_path: Path) -> None:
    report = tmp_path / "lcov.info"
    report.write_text(LCOV)
    settings = StudyConfig(coverage=(str(report),))
    with opened(str(repaired.path), tmp_path / "cache", settings, kinds_known={KIND.name: KIND}) as study:
        study.plan()
        done = study.work_one()
        assert done
        assert done.state == "done", study.runs(done.job.id)[0]["log"]
        ((shown,), _) = study.insights.page(study.key, study.state.git_dir, Wanted(), 9)
        log = study.artifacts.read(shown.log)
    report.write_text("SF:part_0.py\nDA:1,1\n")
    assert log
    assert b"50%  part_0.py" in log
    assert CliRunner().invoke(main, shlex.split(shown.command)[3:]).stdout.encode() == log


def test_a_changed_report_is_studied_again(repaired: Repo, tmp_path: Path) -> None:
    report, head = tmp_path / "lcov.info", repaired.git("rev-parse", "HEAD")

    def asked() -> str:
        (given,) = KIND.inputs(with_reports(repaired, tmp_path, report, before=head))
        return digest_of(given)

    missing = asked()
    report.write_text(LCOV)
    first = asked()
    assert asked() == first != missing
    report.write_text(LCOV + "SF:b\n")
    assert asked() not in (first, missing)


def test_without_a_report_that_can_be_read_there_is_no_coverage(repaired: Repo, tmp_path: Path) -> None:
    state = with_reports(repaired, tmp_path, tmp_path / "missing.xml")
    outcome = KIND.run(KIND.inputs(state)[0], Context(state, tmp_path))
    plain = KIND.run({"commit": state.commit}, Context(state, tmp_path))
    assert outcome == plain
    assert "coverage" not in plain.insights[0].command


def test_of_an_area_only_its_files_are_shown_and_the_command_says_so(
    repaired: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "if x:\n    y = 1\n"
    repaired.commit("Move in", {"lib/core/a.py": text, "lib/core/b.py": text, "lib/corer/c.py": text})
    repaired.commit("Fix a crash of a", {"lib/core/a.py": text * 2})
    repaired.commit("Fix a crash of c", {"lib/corer/c.py": text * 2})
    settings = StudyConfig(areas=("lib/core", "nowhere"))
    state = replace(state_of(repaired, tmp_path), settings=settings)
    given, missing = KIND.inputs(state)
    assert (given["path"], missing["path"]) == ("lib/core", "nowhere")
    outcome = KIND.run(given, Context(state, tmp_path))
    (insight,), (log,) = outcome.insights, outcome.artifacts
    assert insight.title.startswith("Files below lib/core that are likeliest to be repaired next")
    (said,) = insight.statements
    assert said.text.startswith("lib/core/a.py: riskier than ")
    assert "of 23 files" in said.text
    assert [one.scope for one in outcome.facts] == ["lib/core/a.py", "lib/core/b.py"]
    assert log.data.startswith(b"23 source files, 2 of them below lib/core; ")
    assert log.data.count(b".py") == 2
    assert CliRunner().invoke(main, shlex.split(insight.command)[3:]).stdout.encode() == log.data
    capsys.readouterr()
    assert KIND.run(missing, Context(state, tmp_path)) == Outcome()
    assert "there is no folder 'nowhere' at " in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_a_mistake_of_the_command(repaired: Repo) -> None:
    done = CliRunner().invoke(main, [str(repaired.path), "--below", "part"])
    assert done.exit_code == 2
    assert "there is no folder 'part' at " in done.output


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
