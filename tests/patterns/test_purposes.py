"""Which commits patterns are taken from."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import Repo, scrape

from core.records.commits import Commit
from patterns.purposes import left_out, problem_type_of


def only(tmp_path: Path, message: str, files: dict[str, str | bytes] | None = None, **variables: str) -> Commit:
    """The last commit of a repository, as scraped."""
    repo = Repo.new(tmp_path / "r")
    repo.commit("start", {"a.py": "def a():\n    return 1\n"})
    repo.commit(message, files or {"a.py": "def a():\n    return 2\n"}, **variables)
    return scrape(repo.path, tmp_path / "out").commits[-1]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Fix the wrong total", "bug_fix"),
        ("fix(core): total", "bug_fix"),
        ("Change the total\n\nThis fixes a crash.", ""),
        ("parser: change the total\n\nFixes #12", "bug_fix"),
        ("docs: change the total\n\nFixes #12", ""),
        ("Do not fail without items", "bug_fix"),
        ("Raise no KeyError without items", "bug_fix"),
        ("Added support for tuples. This fixes #12", "feature_addition"),
        ("Add option --style, closes #5", ""),
        ("Fix typing of total", ""),
        ("Apply clippy fixes", ""),
        ("Change the total\n\nResolves: #12 and #13", "bug_fix"),
        ("Change the total\n\nCloses #12", ""),
        ('Revert "Add totals"\n\nThis reverts commit 1234567890.', "bug_fix"),
        ("Add totals\n\nCloses #12", "feature_addition"),
        ("feat: totals", "feature_addition"),
        ("Fix typo in docs", ""),
        ("Change prefix of fixtures", ""),
        ("Rename total", ""),
    ],
)
def test_the_whole_message_says_what_a_commit_is_for(tmp_path: Path, message: str, expected: str) -> None:
    assert problem_type_of(only(tmp_path, message).metadata, "words") == expected


def test_commits_of_a_merge_that_repairs_do_so_unless_they_say_something_else(tmp_path: Path) -> None:
    silent, other = (only(tmp_path / name, text).metadata for name, text in (("a", "Use a set"), ("b", "Add a set")))
    assert problem_type_of(silent, "words", "bug_fix") == "bug_fix"
    assert problem_type_of(silent, "words", "feature_addition") == ""
    assert problem_type_of(other, "words", "bug_fix") == "feature_addition"


@pytest.mark.parametrize(
    ("files", "variables", "reason"),
    [
        ({"a.py": "def a():\n    return 2\n"}, {}, ""),
        ({"README.md": "text\n", "tests/test_a.py": "def test(): pass\n"}, {}, "commits without source code"),
        ({f"m{number}.py": "x = 1\n" for number in range(11)}, {}, "commits that change too much at once"),
        ({"a.py": "x = 1\n" * 401}, {}, "commits that change too much at once"),
        ({"a.py": "x = 1\n"}, {"GIT_AUTHOR_NAME": "dependabot[bot]"}, "commits of bots"),
    ],
)
def test_what_is_left_out(
    tmp_path: Path, files: dict[str, str | bytes], variables: dict[str, str], reason: str
) -> None:
    assert left_out(only(tmp_path, "Fix it", files, **variables)) == reason
