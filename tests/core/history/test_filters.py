"""The scope of a scrape: what is left out, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import Program, Repo, scrape

from core.errors import UserError
from core.history.filters import CommitScope, parse_time
from git_scraper import GitScraperConfig


@pytest.mark.parametrize(
    ("text", "end_of_day", "seconds"),
    [
        ("2024-01-31", False, 1706659200),
        ("2024-01-31", True, 1706659200 + 86399),
        ("2024-01-31T12:00:00", True, 1706659200 + 43200),
        ("2024-01-31T12:00:00+02:00", False, 1706659200 + 36000),
        ("2024-01-31 12:00", False, 1706659200 + 43200),
    ],
)
def test_times(text: str, end_of_day: bool, seconds: int) -> None:
    assert parse_time(text, end_of_day=end_of_day) == seconds


@pytest.mark.parametrize("setting", [{"since": "yesterday"}, {"until": "2024-13-01"}, {"authors": ("(",)}])
def test_what_cannot_be_understood_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected a date|not a regular expression"):
        GitScraperConfig(**setting)


def test_files_by_path_and_extension() -> None:
    filters = CommitScope(paths=("src/*",), exclude_paths=("*/gen/*",), extensions=(".rs", ".py"))
    assert filters.against_file("src/a.rs") is None
    assert filters.against_file("src/deep/a.py") is None
    assert filters.against_file("src/a.txt") == "file changes with other extensions"
    assert filters.against_file("doc/a.rs") == "file changes outside paths"
    assert filters.against_file("src/gen/a.rs") == "file changes in excluded paths"
    assert filters.against_file("old/a.rs", "src/a.rs") is None  # a rename into the scope


@pytest.fixture
def repo(history: Repo) -> Repo:
    """With a merge, a bot and a second author."""
    history.git("checkout", "-q", "-b", "side", "HEAD~3")
    bot = {"GIT_AUTHOR_NAME": "dependabot[bot]", "GIT_AUTHOR_EMAIL": "1+dependabot[bot]@users.noreply.github.com"}
    history.commit("Bump things", {"deps.txt": "2\n"}, **bot)
    history.commit("by Bob", {"bob.py": "x = 1\n"}, GIT_AUTHOR_NAME="Bob", GIT_AUTHOR_EMAIL="bob@example.org")
    history.git("checkout", "-q", "main")
    history.clock += 3600
    history.git("merge", "-q", "--no-ff", "-m", "merge side", "side")
    return history


@pytest.mark.parametrize(
    ("settings", "scope"),
    [
        ({"merges": False}, ["--no-merges"]),
        ({"since": "2020-09-13T20:00:00"}, ["--since-as-filter=2020-09-13T20:00:00Z"]),
        ({"until": "2020-09-13T20:00:00"}, ["--until=2020-09-13T20:00:00Z"]),
        ({"since": "2020-09-13", "until": "2020-09-13"}, ["--until=2020-09-13T23:59:59Z"]),
        ({"authors": ("bob",)}, ["--author=Bob"]),
        ({"exclude_authors": (r"@example\.org>",)}, ["--author=dependabot"]),
    ],
)
def test_counts_are_gits_own(repo: Repo, tmp_path: Path, settings: dict[str, Any], scope: list[str]) -> None:
    found = scrape(repo.path, tmp_path / "out", **settings)
    assert len(found.commits) == int(repo.git("rev-list", "--count", "--branches", *scope))
    whole = int(repo.git("rev-list", "--count", "--branches"))
    assert sum(found.head.left_out.values()) == whole - len(found.commits)
    assert found.counts["commits"] == len(found.commits)
    assert [commit.commit_number for commit in found.commits] == list(range(len(found.commits)))


def test_bots(repo: Repo, tmp_path: Path) -> None:
    assert sum(commit.metadata.is_bot for commit in scrape(repo.path, tmp_path / "all").commits) == 1
    found = scrape(repo.path, tmp_path / "out", bots=False)
    assert found.head.left_out == {"commits by bots": 1}
    assert not any(commit.metadata.is_bot for commit in found.commits)


def test_paths_leave_file_changes_and_then_commits_out(repo: Repo, tmp_path: Path) -> None:
    found = scrape(repo.path, tmp_path / "out", extensions=(".py",), exclude_paths=("pkg/part_1*",))
    assert {diff.filename for commit in found.commits for diff in commit.diffs} == {
        *("pkg/part_0.py", "pkg/part_2.py", "bob.py")
    }
    whole = scrape(repo.path, tmp_path / "all")
    changes = sum(len(commit.diffs) for commit in whole.commits)
    kept = sum(len(commit.diffs) for commit in found.commits)
    left_out = found.head.left_out
    assert left_out.pop("commits without a file in scope") == len(whole.commits) - len(found.commits)
    inside = sum(sum(commit.context.left_out.values()) for commit in found.commits)
    assert inside == sum(number for reason, number in left_out.items() if reason.startswith("file changes"))
    assert kept + inside < changes


def test_nothing_in_scope_is_an_error_that_counts(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="15 commits before since"):
        scrape(repo.path, tmp_path / "out", since="2030-01-01")
    with pytest.raises(UserError, match="15 commits by other authors"):
        scrape(repo.path, tmp_path / "out", authors=("nobody",))


def test_flags_of_the_command(repo: Repo, program: Program) -> None:
    arguments = ("--repo", str(repo.path), "--output", "out/commits.json", "--no-merges", "--no-bots")
    done = program.run("git_scraper.py", *arguments, "--extensions", ".py", "--extensions", ".rs")
    assert done.returncode == 0, done.stderr
    assert "left out: 1 merge commits" in done.stdout
    bad = program.run("git_scraper.py", *arguments, "--since", "last week")
    assert (bad.returncode, "expected a date" in bad.stderr) == (2, True)
