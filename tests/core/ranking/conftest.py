"""A repository with two people, a program, and one sort of change each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from builders import Repo

from core.git import trees
from core.ranking.features import Similar
from core.ranking.history import Past
from core.ranking.snapshot import Snapshot
from core.ranking.terms import words
from index.repository import RepositoryIndex

Asked = Callable[[str, str], tuple[Snapshot, Similar]]


@pytest.fixture(scope="session")
def team(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Ann changes the parser, Ben the pages, a bot what is needed; a stranger, on a branch, everything."""
    repo = Repo.new(tmp_path_factory.mktemp("team") / "team")
    for number in range(12):
        for name, title, path in (
            ("Ann", f"Fix the parser of dates {number}", "parser.py"),
            ("dependabot[bot]", f"Bump serde from 1.{number} to 1.{number + 1}", "Cargo.toml"),
            ("Ben", f"Describe the page of settings {number}", "docs/settings.md"),
        ):
            repo.commit(title, {path: f"x = {number}\n"}, GIT_AUTHOR_NAME=name)
    repo.git("checkout", "-q", "-b", "side", "HEAD~9")
    for number in range(9):
        repo.commit(f"Fix the parser of dates again {number}", {"other.py": f"{number}\n"}, GIT_AUTHOR_NAME="Stranger")
    repo.git("checkout", "-q", "main")
    return repo


@pytest.fixture
def asked(team: Repo, tmp_path: Path) -> Iterator[Asked]:
    """The snapshot of a revision, with past commits that are like a title. The stranger's branch is in the index."""
    with RepositoryIndex(team.path / ".git", tmp_path / "cache") as index:
        index.commits(team.git("rev-parse", "side"))

        def ask(revision: str, title: str) -> tuple[Snapshot, Similar]:
            commit = team.git("rev-parse", revision)
            past = Past.of(index.commits(commit), commit)
            snapshot = Snapshot.of(past, trees.files_of(team.path / ".git", commit), index)
            return snapshot, Similar.to(snapshot, words(title)) if title else Similar.none(snapshot)

        yield ask
