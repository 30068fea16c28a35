"""What is shown of a map: the first time, and when something is new."""

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
from thoughts.insights import problem
from thoughts.kind import Context, Outcome, State
from thoughts.kinds.map_repo import KIND, LOG
from thoughts.mapping.__main__ import main


def state_of(repo: Repo, tmp_path: Path, before: str = "") -> State:
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    return State(str(repo.path), git_dir, tmp_path, repo.git("rev-parse", "HEAD"), before, datetime.now(UTC))


def outcome_of(state: State, tmp_path: Path) -> Outcome:
    (given,) = KIND.inputs(state)
    return KIND.run(given, Context(state, tmp_path))


@pytest.fixture
def shared(make_repo: Callable[[str], Repo]) -> Repo:
    """Four files that use two others, of which a test reaches one, and that one uses another alone."""
    repo = make_repo("shared")
    files: dict[str, str | bytes] = {
        f"user_{number}.py": "import core\nimport bare\n\n\n"
        f"def use_{number}():\n    core.tried()\n    bare.untried()\n"
        for number in range(4)
    }
    files |= {"core.py": "import alone\n\n\ndef tried():\n    alone.used_once()\n"}
    files |= {"alone.py": "def used_once():\n    pass\n", "bare.py": "def untried():\n    pass\n"}
    files["tests/test_core.py"] = "import core\n\n\ndef test_core():\n    core.tried()\n"
    repo.commit("begin", files)
    return repo


def test_the_first_time_shows_what_all_rests_on(shared: Repo, tmp_path: Path) -> None:
    state = state_of(shared, tmp_path)
    outcome = outcome_of(state, tmp_path)
    central, untested = outcome.insights
    assert central.title == "What most code rests on"
    assert {said.text.split(":")[0] for said in central.statements} == {"core.py", "bare.py"}
    assert untested.title == "Code that much rests on and that no test is seen to reach"
    (said,) = untested.statements
    assert said.text == (
        "bare.py: 4 other files call or import it, most of all `untried`; tests are seen to reach 0 of its 1 functions."
    )
    assert [(one.path, one.first) for one in said.citations] == [("bare.py", 1), ("user_0.py", 7), ("user_1.py", 7)]
    with Citations(state.git_dir) as citations:
        assert {problem(one, {LOG: b""}, citations) for one in outcome.insights} == {""}


def test_the_command_prints_the_log_again(shared: Repo, tmp_path: Path) -> None:
    old = shared.git("rev-parse", "HEAD")
    shared.commit("close", {"core.py": "import user_1\n\n\ndef tried():\n    pass\n"})
    for before in ("", old):
        outcome = outcome_of(state_of(shared, tmp_path, before), tmp_path)
        python, module, name, *arguments = shlex.split(outcome.insights[0].command)
        assert (python, module, name) == ("python", "-m", "thoughts.mapping")
        done = CliRunner().invoke(main, [*arguments, "--cache-dir", str(tmp_path / "other")])
        assert done.stdout.encode() == outcome.artifacts[0].data


def test_an_import_that_closes_a_cycle_is_shown(shared: Repo, tmp_path: Path) -> None:
    old = shared.git("rev-parse", "HEAD")
    shared.commit("close", {"core.py": "import os\nimport user_1\n\n\ndef tried():\n    user_1.use_1()\n"})
    (insight,) = outcome_of(state_of(shared, tmp_path, old), tmp_path).insights
    assert insight.title == f"Imports that closed a cycle since {old[:9]}"
    (said,) = insight.statements
    assert said.text == "core.py -> user_1.py -> core.py: the first import closed the circle."
    assert [one.quote for one in said.citations] == ["import user_1", "import core"]


@pytest.mark.parametrize(
    "text",
    [
        "def tried():\n    import user_1\n    user_1.use_1()\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import user_1\n\n\ndef tried():\n    pass\n",
    ],
)
def test_an_import_that_waits_closes_none(shared: Repo, tmp_path: Path, text: str) -> None:
    old = shared.git("rev-parse", "HEAD")
    shared.commit("late", {"core.py": text})
    assert not outcome_of(state_of(shared, tmp_path, old), tmp_path).insights


def test_later_only_what_is_new_is_shown(shared: Repo, tmp_path: Path) -> None:
    old = shared.git("rev-parse", "HEAD")
    more: dict[str, str | bytes] = {
        f"user_{number}.py": f"import extra\nextra.added({number})\n" for number in range(4, 8)
    }
    shared.commit("more", {**more, "extra.py": "def added(x):\n    pass\n"})
    (insight,) = outcome_of(state_of(shared, tmp_path, old), tmp_path).insights
    assert insight.title == f"Code that much rests on and that no test is seen to reach since {old[:9]}"
    assert [said.text.split(":")[0] for said in insight.statements] == ["extra.py"]


def test_without_tests_none_are_missed(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("untested")
    repo.commit("begin", {"a.py": "def f(): ...\n", **{f"u{n}.py": "import a\na.f()\n" for n in range(4)}})
    (insight,) = outcome_of(state_of(repo, tmp_path), tmp_path).insights
    assert insight.title == "What most code rests on"


def test_files_are_facts_of_their_blobs(shared: Repo, tmp_path: Path) -> None:
    facts = {one.scope: one for one in outcome_of(state_of(shared, tmp_path), tmp_path).facts}
    assert facts["core.py"].value["users"] == 4
    assert facts["core.py"].value["reached"] == facts["core.py"].value["functions"] == 1
    assert facts["bare.py"].value["reached"] == 0
    assert facts["core.py"].blob == shared.git("rev-parse", "HEAD:core.py")


def test_the_same_commit_is_not_asked_again_and_a_lost_one_is_the_first(shared: Repo, tmp_path: Path) -> None:
    head = shared.git("rev-parse", "HEAD")
    assert KIND.inputs(state_of(shared, tmp_path, head)) == []
    assert KIND.inputs(state_of(shared, tmp_path, "0" * 40)) == [{"old": "", "new": head}]


def test_a_repository_without_code_shows_nothing(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("prose")
    repo.commit("begin", {"notes.md": "x\n"})
    outcome = outcome_of(state_of(repo, tmp_path), tmp_path)
    assert not outcome.insights
    assert not outcome.facts
