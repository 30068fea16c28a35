"""The history of one file: its commits through renames, and what changes with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from builders import Repo

from core.errors import UserError
from core.prediction.files import FileAsker
from core.ranking.file_history import FileHistory, history_of_file
from index.repository import RepositoryIndex


@pytest.fixture(scope="module")
def asker(forked: Repo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileAsker]:
    made = FileAsker(str(forked.path), tmp_path_factory.mktemp("cache"), RepositoryIndex)
    yield made
    made.close()


def found(asker: FileAsker, path: str, at: str = "HEAD", most: int = 20) -> FileHistory:
    commit = asker.commit(at)
    return history_of_file(asker.snapshot(commit), path, commit, most)


def test_a_file_is_followed_through_its_renames(asker: FileAsker, forked: Repo) -> None:
    history = found(asker, "pkg/first.py")
    assert history.exists
    assert history.other_names == ["pkg/part_0.py"]
    assert [change.kind for change in history.changes] == ["renamed", "modified", "modified", "modified", "added"]
    newest = history.changes[0]
    assert (newest.date, newest.author, newest.title) == ("2020-09-14", "Ada", "rename the first part")
    assert newest.commit == forked.git("rev-parse", "HEAD^1")
    assert [change.path for change in history.changes] == ["pkg/first.py", *["pkg/part_0.py"] * 4]


def test_companions_are_counted_with_their_newest_commits(asker: FileAsker, forked: Repo) -> None:
    history = found(asker, "pkg/first.py")
    together = {one.name: one.together for one in history.companions}
    assert together == {"Cargo.toml": 4, "README.md": 4, "src/lib.rs": 4}
    assert history.companions_of == history.changes_total == 5
    commits = history.companions[0].commits
    assert [forked.git("log", "-1", "--format=%s", commit)[:6] for commit in commits] == ["step 9", "step 6", "step 3"]


def test_the_old_name_finds_the_file_and_is_gone(asker: FileAsker) -> None:
    history = found(asker, "pkg/part_0.py")
    assert not history.exists
    assert history.other_names == ["pkg/first.py"]
    assert history.changes_total == 5


def test_nothing_later_is_known(asker: FileAsker) -> None:
    history = found(asker, "pkg/part_0.py", at="HEAD^1~1")
    assert history.exists
    assert (history.other_names, history.changes_total) == ([], 4)
    with pytest.raises(UserError, match="changed a file named"):
        found(asker, "pkg/first.py", at="HEAD^1~1")


def test_the_newest_changes_are_listed_and_all_are_counted(asker: FileAsker) -> None:
    history = found(asker, "README.md", most=2)
    assert [change.title for change in history.changes] == [
        "step 11: handlers and notes",
        "step 10: handlers and notes",
    ]
    assert history.changes_total == 12
