"""Patterns by one command: of a repository, of chunks; dates and types; what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import Program, Repo, cut

from core.records.patterns import read_patterns

SCRIPT = "scripts/extract_patterns_from_git.py"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo.new(tmp_path / "a repo")
    repo.commit("Add f", {"a.py": "def f(x):\n    return g(x)\n"})
    repo.commit("Fix f", {"a.py": "def f(x):\n    return h(x)\n"})
    repo.clock += 100 * 86_400
    repo.commit("Fix f of nothing", {"a.py": "def f(x):\n    return h(x or 0)\n"})
    return repo


def test_a_repository_and_its_chunks_give_the_same(repo: Repo, program: Program, tmp_path: Path) -> None:
    outputs, home = tmp_path / "outputs", {"HOME": str(tmp_path)}
    done = program.run(SCRIPT, "--repo-path", str(repo.path), "--output", str(tmp_path / "one.jsonl"), **home)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"3 patterns in {tmp_path / 'one.jsonl'}\n"
    cut(repo.path, outputs)
    chunks = str(outputs / "chunks.jsonl")
    assert program.run(SCRIPT, "--chunks", chunks, "--output", str(tmp_path / "two.jsonl")).returncode == 0
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    arguments = ("--chunks", chunks, "--output", str(tmp_path / "three.jsonl"), "--since-date", "2020-10-01")
    assert program.run(SCRIPT, *arguments, "--types", "bug_fix").returncode == 0
    (pattern,) = read_patterns(tmp_path / "three.jsonl")
    assert pattern.commit_msg == "Fix f of nothing"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--types", "typos"), "choose from bug_fix, feature_addition"),
        (("--since-date", "yesterday"), "is no date"),
        (("--chunks", "none.jsonl"), "none.jsonl is missing"),
        (("--repo-path", "/none/such"), "repository not found"),
    ],
)
def test_what_it_cannot_do_is_said(
    program: Program, tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    done = program.run(SCRIPT, *arguments, HOME=str(tmp_path))
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert not (program.folder / "patterns.jsonl").exists()
