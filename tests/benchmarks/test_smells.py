"""What is shown beside what became of it. The tool is one of the tests' own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner

from benchmarks import smells
from core.git import commands, trees
from thoughts.smells.findings import Finding, Looked, Tool

YEAR_S = 365 * 86_400


def words(git_dir: Path, commit: str, tool: Tool, tier: object, most_files: int = 0) -> Looked:
    """Each line with GOOD or BAD is a finding of that name; only ruff finds the good ones."""
    rules = ("BAD", "GOOD") if tool.name == "ruff" else ("BAD",)
    found, lines = [], {}
    for path in trees.files_of(git_dir, commit):
        rows = commands.run(git_dir, "show", f"{commit}:{path}").decode().splitlines()
        lines[path] = len(rows)
        found += [
            Finding(f"{tool.name} {rule}", path, at, at, "")
            for at, row in enumerate(rows, 1)
            for rule in rules
            if rule in row
        ]
    return Looked(found, lines)


def test_a_year_says_whether_what_is_shown_was_changed(
    make_repo: Callable[[str], Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, young = make_repo("old"), make_repo("young")
    for year in range(4):
        rows = [f"z{row} = 1  # BAD\n" for row in range(30)] + [f"x{row} = {year}  # GOOD\n" for row in range(6)]
        repo.commit(f"year {year}", {"a.py": "".join(rows)})
        repo.clock += YEAR_S + 86_400
    repo.commit("now", {"a.py": "".join(rows[:30])})
    young.commit("begin", {"a.py": "x = 1\n"})
    monkeypatch.setattr(smells, "findings_at", words)
    monkeypatch.setattr(smells, "best_tier", lambda: None)
    given = [str(repo.path), str(young.path), "--tools", "ruff", "--tools", "lizard"]
    done = CliRunner().invoke(smells.main, given, catch_exceptions=False)
    assert "| old | ruff | 36 | 5 | 1.000 | 0.000 | 0.167 | 0.167 | 0.167 |" in done.stdout
    assert "| old | lizard | 30 | 0 |" in done.stdout
    assert "| old | all | 66 | 5 | 1.000 | 0.000 | 0.091 | 0.167 | 0.167 |" in done.stdout
    assert "| young | | | 0 |" in done.stdout
    assert "ruff over twice all lines +0.667" in done.stdout
    assert "all tools over ruff +0.000" in done.stdout
