"""Where a main line was at a time."""

from __future__ import annotations

from collections.abc import Callable

from builders import Repo

from core.git import trees


def test_the_main_line_at_a_time_is_not_what_a_side_was_at_then(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("lines")
    first = repo.commit("begin", {"a": "1\n"})
    start = repo.clock
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("aside", {"b": "1\n"})
    repo.git("checkout", "-q", "main")
    repo.clock += 86_400
    repo.git("merge", "-q", "--no-ff", "-m", "join", "side")
    tip = repo.commit("go on", {"a": "2\n"})
    git_dir = repo.path / ".git"
    assert trees.commit_at(git_dir, tip, start + 40_000) == first
    assert trees.commit_at(git_dir, tip, start - 1) == ""
    assert trees.commit_at(git_dir, tip, repo.clock) == tip
    assert trees.time_of(git_dir, tip) == repo.clock
