"""What is known of files at a commit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo

from core.git import raw_log
from core.git.repositories import open_repository
from thoughts.risk.files import HALF_LIFE, NARROW, FileFacts, facts_of, repairs_of


def facts(repo: Repo, tmp_path: Path, revision: str = "HEAD") -> dict[str, FileFacts]:
    git_dir, commit = open_repository(str(repo.path), tmp_path).git_dir, repo.git("rev-parse", revision)
    past = raw_log.logged(git_dir, commit)
    return {one.path: one for one in facts_of(git_dir, commit, past, repairs_of(past))}


def test_size_branches_and_past_of_source_files_are_counted(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("counted")
    repo.commit("begin", {"a.py": "if x and y:\n    pass\n", "test_a.py": "x = 1\n", "notes.md": "if\n"})
    repo.commit("Fix a crash in a", {"a.py": "if x:\n    pass\nwhile y:\n    z = 1"})
    found = facts(repo, tmp_path)
    assert list(found) == ["a.py"]
    one = found["a.py"]
    assert (one.lines, one.branches) == (4, 2)
    assert one.fixes == pytest.approx(0.5 ** (1 / HALF_LIFE))
    assert [repair.title for repair in one.repairs] == ["Fix a crash in a"]
    assert one.recency == 1


def test_renamed_files_keep_their_past(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("renamed")
    body = "".join(f"x{number} = {number}\n" for number in range(30))
    repo.commit("begin", {"old.py": body})
    repo.commit("Fix a crash", {"old.py": body + "y = 1\n"})
    repo.git("mv", "old.py", "new.py")
    repo.commit("move")
    assert [one.title for one in facts(repo, tmp_path)["new.py"].repairs] == ["Fix a crash"]


def test_wide_commits_and_those_of_programs_do_not_count(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("wide")
    repo.commit("Fix what many files do", {f"f{number}.py": "x = 1\n" for number in range(NARROW + 1)})
    repo.commit("Fix a dependency", {"f0.py": "x = 2\n"}, GIT_AUTHOR_NAME="dependabot[bot]")
    found = facts(repo, tmp_path)
    assert len(found) == NARROW + 1
    assert {(one.changes, one.fixes, one.recency) for one in found.values()} == {(0, 0, 0)}


def test_repairs_beside_a_file_count_without_its_own(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("beside")
    repo.commit("begin", {"p/a.py": "x\n", "p/b.py": "x\n", "q/c.py": "x\n"})
    repo.commit("Fix a crash", {"p/a.py": "y\n"})
    found = facts(repo, tmp_path)
    assert found["p/b.py"].fixes_nearby == found["p/a.py"].fixes > 0
    assert found["p/a.py"].fixes_nearby == found["q/c.py"].fixes_nearby == 0


def test_nothing_after_the_commit_is_known(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("past")
    repo.commit("begin", {"a.py": "x\n"})
    before = facts(repo, tmp_path)
    repo.commit("Fix a crash", {"a.py": "y\n"})
    assert facts(repo, tmp_path, "HEAD~1") == before


def test_empty_files_and_odd_names_are_read(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("odd")
    repo.commit("begin", {"empty.py": "", 'a "b"\n.py': "x = 1"})
    assert {path: one.lines for path, one in facts(repo, tmp_path).items()} == {"empty.py": 0, 'a "b"\n.py': 1}
