"""Killed runs: a rerun makes the same, and what is not the same is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo, grow
from click.testing import CliRunner

from benchmarks import killed_runs
from core.errors import StageError


@pytest.mark.slow
def test_a_killed_run_makes_the_same_when_it_runs_again(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("one")
    grow(repo, 4)
    done = CliRunner().invoke(killed_runs.main, [str(repo.path), "--kills", "1"])
    assert done.exit_code == 0, done.output
    assert ": the same\n1 kills: 1 " in done.output


@pytest.mark.parametrize("later", [{"commits.json": b"other"}, StageError("v_vector_history: a row is missing")])
def test_what_is_not_the_same_is_reported(
    later: dict[str, bytes] | StageError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finished(folder: Path, _: object) -> dict[str, bytes]:
        if folder.name == "undisturbed":
            return {"commits.json": b"one"}
        if isinstance(later, StageError):
            raise later
        return later

    monkeypatch.setattr(killed_runs, "finished", finished)
    monkeypatch.setattr(killed_runs, "killed", lambda *_: "in git_scraper")
    done = CliRunner().invoke(killed_runs.main, [str(tmp_path), "--kills", "2"])
    assert done.exit_code == 1
    assert "2 of 2 reruns did not make the same" in done.output
    wrong = "commits.json" if isinstance(later, dict) else "v_vector_history: a row is missing"
    assert done.output.count(f"in git_scraper: not the same: {wrong}") == 2
