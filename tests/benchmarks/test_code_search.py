"""The figures of the search of code are printed by kind of question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner
from session_code import CODE, begun, known

from benchmarks.code_search import in_markdown, main
from index import questions
from index.evaluation import places
from index.examples import answered
from index.search import Weights


@pytest.fixture
def repo(make_repo: Callable[[str], Repo], monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.setattr(questions, "LEAST_CODE", 3)
    return begun(make_repo)


def test_differences_are_printed(repo: Repo, tmp_path: Path) -> None:
    for number in range(3):
        text = CODE.replace("return None", f"return {number}")
        repo.commit(f"Return number {number} when closing a session fails", {"sessions.py": text})
    found = [places(one, Weights.shipped()) for one in answered(known(repo, tmp_path), 10, 10)]
    assert any("+0." in line or "-0." in line for line in in_markdown({"a/b": found}))


def test_what_is_learned_is_beside_the_shipped_weights(repo: Repo, tmp_path: Path) -> None:
    for number in range(3):
        text = CODE.replace("return None", f"return {number}")
        repo.commit(f"Return number {number} when closing a session fails", {"sessions.py": text})
    line = ["score", str(repo.path), "--learn", "--together", "2", "--cache-dir", str(tmp_path)]
    done = CliRunner().invoke(main, line)
    assert done.exit_code == 0, done.output
    assert "|  | questions | index | shipped weights | BM25 over symbols | files of the hits |" in done.stdout
    assert f"| {repo.path.name} | 1 | " in done.stdout
    assert "files: shipped weights; own against shipped weights: too few questions" in done.stderr


def test_the_command_prints_a_table(repo: Repo, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["score", str(repo.path), "--tasks", "2", "--cache-dir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "**Docstrings: symbols**" in done.output
    assert Weights.shipped().made_from
