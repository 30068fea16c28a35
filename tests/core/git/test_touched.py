"""Which commits touched what, and that git is stopped in time."""

from __future__ import annotations

import time

import pytest
from builders import Repo

from core.errors import StageError
from core.git import commands, touched
from core.git.commands import SlowGitError

CODE = "def first():\n    return 1\n\n\ndef second():\n    return 2\n"


@pytest.fixture
def told(make_repo: object) -> Repo:
    repo = make_repo("told")  # type: ignore[operator]
    repo.commit("add first and second\n\nBoth are needed.\nCloses #4", {"code.py": CODE})
    repo.commit("let second return three", {"code.py": CODE.replace("return 2", "return 3")})
    repo.git("mv", "code.py", "moved.py")
    repo.commit("rename the file")
    repo.commit(
        "let first return zero", {"moved.py": CODE.replace("return 2", "return 3").replace("return 1", "return 0")}
    )
    return repo  # type: ignore[no-any-return]


def titles(found: list[touched.Touch]) -> list[str]:
    return [one.title for one in found]


def test_lines_are_followed_through_a_rename(told: Repo) -> None:
    found = touched.of_lines(told.path / ".git", "HEAD", "moved.py", 5, 6)
    assert titles(found) == ["let second return three", "add first and second"]
    assert (found[-1].author, found[-1].email) == ("Ada", "ada@example.org")
    assert found[-1].body == "Both are needed.\nCloses #4"
    with pytest.raises(StageError):
        touched.of_lines(told.path / ".git", "HEAD", "moved.py", 50, 60)


def test_a_file_and_a_range_of_commits(told: Repo) -> None:
    git_dir = told.path / ".git"
    assert titles(touched.of_path(git_dir, "HEAD", "moved.py"))[-1] == "add first and second"
    assert titles(touched.of_folder(git_dir, "HEAD", "code.py"))[-1] == "add first and second"
    assert titles(touched.saying(git_dir, "HEAD", ["THREE", "both"])) == [
        "let second return three",
        "add first and second",
    ]
    assert touched.first_tag(git_dir, "HEAD") == ""
    assert titles(touched.since(git_dir, "HEAD~2", "HEAD")) == ["let first return zero", "rename the file"]
    assert titles(touched.since(git_dir, "HEAD~2", "HEAD", ["none.py"])) == []
    newest = touched.named(git_dir, "HEAD")
    assert titles(touched.since_time(git_dir, newest.time, "HEAD")) == [newest.title]
    assert titles(touched.mentioning(git_dir, "HEAD", "def second")) == ["add first and second"]


def test_a_word_stands_in_a_commit(told: Repo) -> None:
    git_dir = told.path / ".git"
    assert touched.has_word(git_dir, "HEAD", "second")
    assert not touched.has_word(git_dir, "HEAD", "secon")


def test_definitions_are_lines_with_a_word_that_defines(told: Repo) -> None:
    told.commit("use it", {"use.py": "second()\nx = second\n"})
    assert touched.definitions(told.path / ".git", "HEAD", "second") == [("moved.py", 5)]
    lines = (
        "# class second:",
        "// fn second()",
        " * def second",
        '"def second"',
        "-- function second",
        "#[x] fn second() {}",
    )
    told.commit("speak of it", {"notes.txt": "\n".join(lines) + "\n"})
    assert touched.definitions(told.path / ".git", "HEAD", "second") == [("moved.py", 5), ("notes.txt", 6)]


def test_git_is_stopped_after_its_time(told: Repo) -> None:
    told.commit("add data", {"data": "0123456789abcdef" * (1 << 18)})
    with (
        pytest.raises(SlowGitError, match=r"took longer than 0\.1 s"),
        commands.stream(told.path / ".git", "cat-file", "blob", "HEAD:data", timeout_s=0.1),
    ):
        time.sleep(0.5)  # git cannot write on until somebody reads
    assert len(commands.run(told.path / ".git", "cat-file", "blob", "HEAD:data", timeout_s=60)) == 1 << 22
