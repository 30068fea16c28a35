"""A commit knows itself and its ancestors, and nothing that came to the repository by another way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from builders import Repo

from core.git import trees
from core.ranking.history import Past
from core.ranking.snapshot import Snapshot
from index.repository import RepositoryIndex


@pytest.fixture
def branched(make_repo: Callable[[str], Repo]) -> Repo:
    """main: a, b; side, from a: c; merged: d."""
    repo = make_repo("branched")
    repo.commit("a", {"a.py": "1\n", "old.py": "x = 1\ny = 2\nz = 3\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("c", {"c.py": "1\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("b", {"a.py": "2\n"})
    repo.git("mv", "old.py", "new.py")
    repo.commit("move")
    return repo


def titles(past: Past) -> list[str]:
    return [past.commits.titles[number] for number in past.order]


def changed(past: Past) -> list[str]:
    return [past.commits.paths[path] for path in past.commits.change_paths[past.changes]]


def index(repo: Repo, tmp_path: Path) -> RepositoryIndex:
    return RepositoryIndex(repo.path / ".git", tmp_path / "cache")


def test_only_ancestors_are_known(branched: Repo, tmp_path: Path) -> None:
    main, side = (branched.git("rev-parse", name) for name in ("main", "side"))
    with index(branched, tmp_path) as known:
        known.commits(main)
        commits = known.commits(side)
        assert titles(Past.of(commits, main)) == ["a", "b", "move"]
        assert titles(Past.of(commits, side)) == ["a", "c"]
        assert titles(Past.of(commits, branched.git("rev-parse", "main~2"))) == ["a"]
        with pytest.raises(KeyError):
            Past.of(commits, "0" * 40)


def test_a_renamed_file_keeps_its_past(branched: Repo, tmp_path: Path) -> None:
    with index(branched, tmp_path) as known:
        for name, path in (("main", "new.py"), ("main~1", "old.py")):
            commit = branched.git("rev-parse", name)
            past = Past.of(known.commits(commit), commit)
            snapshot = Snapshot.of(past, trees.files_of(branched.path / ".git", commit), known)
            counts = dict(zip(snapshot.paths, snapshot.by_file(np.ones(len(past.changes))), strict=True))
            assert counts == {"a.py": 2, path: 2 if name == "main" else 1}


def test_the_way_of_reading_does_not_matter(branched: Repo, tmp_path: Path) -> None:
    branched.git("merge", "-q", "--no-edit", "side")
    branched.commit("last", {"c.py": "3\n"})
    tip = branched.git("rev-parse", "main")
    with index(branched, tmp_path / "at once") as one, index(branched, tmp_path / "bit by bit") as other:
        for name in ("side", "main~3", "main~1"):
            other.commits(branched.git("rev-parse", name))
        for commit in (tip, branched.git("rev-parse", "side")):
            first, second = (Past.of(known.commits(tip), commit) for known in (one, other))
            assert titles(first) == titles(second)
            assert [first.commits.hashes[n] for n in first.order] == [second.commits.hashes[n] for n in second.order]
            paths = [
                [past.commits.paths[path] for path in past.commits.change_paths[past.changes]]
                for past in (first, second)
            ]
            assert paths[0] == paths[1]


def test_a_clock_that_runs_backwards_does_not_turn_the_order(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("clock")
    repo.commit("first", {"a": "1"})
    repo.clock -= 900_000
    repo.commit("second", {"a": "2"})
    with index(repo, tmp_path) as known:
        tip = repo.git("rev-parse", "HEAD")
        assert titles(Past.of(known.commits(tip), tip)) == ["first", "second"]
