"""How many lines live another year."""

from __future__ import annotations

from pathlib import Path

from builders import Repo

from core.progress import Progress
from core.records.patterns import SurvivalByAge
from patterns import ages, survival

DAY = 86_400


def summary(repo: Repo) -> ages.SurvivalSummary:
    with Progress("walking") as progress:
        return ages.summary(survival.walk(repo.path / ".git", repo.git("rev-parse", "HEAD"), progress), "root:x")


def test_lines_that_could_live_another_year_are_counted(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("a", {"a.py": "w1\nw2\nw3\n\n}\n", "README.md": "words\n", "tests/test_a.py": "t\n", "x.bin": b"\0"})
    repo.clock += 200 * DAY
    repo.commit("b", {"a.py": "w1\n  w2\n", "b.py": "w9\n"})
    repo.clock += 200 * DAY
    repo.commit("c", {"c.py": "w\n"})
    found = summary(repo)
    assert (found.steps, found.files, found.left_out) == (3, 5, {"binary": 1})
    by_age = {one.from_days: one for one in found.by_age}
    assert by_age[0] == SurvivalByAge(from_days=0, lines=3, alive=2)
    assert by_age[30] == SurvivalByAge(from_days=30, lines=3, alive=2)
    assert by_age[91].lines == 0
    assert {one.lines for one in found.without_test} == {0}, "the first step changed a test"
    assert found.with_test[0].lines == 3


def test_a_moved_line_keeps_its_age(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("a", {"a.py": "a_long_enough_line = 1\n"})
    repo.commit("b", {"b.py": "a_long_enough_line = 1\n", "a.py": ""})
    repo.clock += 400 * DAY
    repo.commit("c", {"a.py": "w\n"})
    assert summary(repo).by_age[0] == SurvivalByAge(from_days=0, lines=1, alive=1)
