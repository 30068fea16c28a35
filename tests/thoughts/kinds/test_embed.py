"""Texts of a new commit are read before anybody asks about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from builders import Repo

from index.code_index import CodeIndex
from thoughts.kind import Context, State
from thoughts.kinds.embed import FACT, KIND


def state_of(repo: Repo, cache: Path) -> State:
    return State(str(repo.path), repo.path / ".git", cache, repo.git("rev-parse", "HEAD"), "", datetime.now(UTC))


def test_an_update_finds_the_texts_of_a_commit_read(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("embedded")
    old = repo.commit("Begin", {"a.py": "def a(): ...\n"})
    with CodeIndex(repo.path / ".git", tmp_path) as index:
        index.update(old)
        repo.commit("More", {"b.py": "def b():\n    return 1\n", "c.py": "def c(): ...\n"})
        state = state_of(repo, tmp_path)
        (given,) = KIND.inputs(state)
        (fact,) = KIND.run(given, Context(state, tmp_path)).facts
        assert (fact.name, fact.value, fact.commit) == (FACT, {"read": 2}, state.commit)
        assert index.commit == old
        assert [hit.symbol for hit in index.symbols_named("b")] == []
        update = index.update(state.commit)
        assert (update.added, update.removed) == (0, 0)
        prepared = index.search("what does b return")
    with CodeIndex(repo.path / ".git", tmp_path / "other") as fresh:
        fresh.update(state.commit)
        assert fresh.search("what does b return") == prepared


def test_a_commit_that_is_gone_is_passed_over(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("gone")
    repo.commit("Begin", {"a.py": "x = 1\n"})
    outcome = KIND.run({"commit": "1" * 40}, Context(state_of(repo, tmp_path), tmp_path))
    assert not outcome.facts
