"""What is shown beside what became of it. The tool is one of the tests' own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner

from benchmarks import smells
from core.git import commands, trees
from thoughts.smells.findings import Finding, Looked

YEAR_S = 365 * 86_400


def words(git_dir: Path, commit: str) -> Looked:
    """Each line with GOOD or BAD is a finding of that name."""
    found, lines = [], {}
    for path in trees.files_of(git_dir, commit):
        rows = commands.run(git_dir, "show", f"{commit}:{path}").decode().splitlines()
        lines[path] = len(rows)
        found += [
            Finding(rule, path, at, at, "") for at, row in enumerate(rows, 1) for rule in ("BAD", "GOOD") if rule in row
        ]
    return Looked(found, lines, is_cut_off=False)


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
    monkeypatch.setattr(smells, "_looked", words)
    done = CliRunner().invoke(smells.main, [str(repo.path), str(young.path)], catch_exceptions=False)
    assert "| old | 36 | 5 | 1.000 | 0.000 | 0.167 | 0.167 |" in done.stdout
    assert "| young | | 0 | | | | |" in done.stdout
    assert "shown over twice all lines +0.667" in done.stdout
