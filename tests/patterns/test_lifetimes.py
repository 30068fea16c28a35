"""How long changes keep most of their lines."""

from __future__ import annotations

from pathlib import Path

from builders import Repo

from core.progress import Progress
from patterns import survival
from patterns.lifetimes import DAY, Lifetimes


def test_a_change_stands_while_half_of_its_lines_do(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("a", {"a.py": "w1\nw2\nw3\nw4\n", "b.py": "v1\nv2\nv3\n"})
    born = repo.clock
    repo.clock += 100 * DAY
    repo.commit("b", {"a.py": "w1\nw2\n", "b.py": "v1\n", "c.py": "x = 1\n" * 401})
    repo.clock += 400 * DAY
    repo.commit("c", {"a.py": "", "d.py": "y\n"})
    with Progress("walking") as progress:
        lives = Lifetimes(survival.walk(repo.path / ".git", "HEAD", progress))
    found = lives.year_later(born + 50 * DAY)
    assert sorted(zip(found.ages.tolist(), found.alive.tolist(), strict=True)) == [(50.0, False), (50.0, True)]
    assert len(lives.born) == 3, "the large step is left out"
