"""Are the tests on a file's card those that change with it?

    python -m benchmarks.tests_of CLONE …

A question is a commit that changed one source file and one to three test files that stood before, the newest ones
first. Its parent is asked for five tests of the source file: by its card (tests that changed with it before, that are
called after it, or that use it by the map), by a card that knows uses by names alone, by test files that are called
after it alone, and by the test files that older commits changed with it most often. "Named" is how many files a card
names on average. Intervals draw questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from core.code.test_files import is_test_file
from core.errors import GitloreError
from core.git import raw_log, trees
from core.git.raw_log import LoggedCommit
from core.git.repositories import open_repository
from core.ranking.paths import subject
from core.statistics import of_mean
from miners.clones import name_of
from thoughts.cards.card import TESTS
from thoughts.cards.making import opened
from thoughts.risk.files import is_program

TOP = 5
MOST_TESTS, MOST_FILES = 3, 8
"""Of a commit that makes a question."""
COLUMNS = ("questions", "card", "card by names", "called after it", "changed with it", "named", "named by names")


class Question(NamedTuple):
    """A file at a commit, and the tests that changed with it next."""

    commit: str
    path: str
    tests: frozenset[str]
    before: Sequence[LoggedCommit]


@click.command()
@click.argument("repos", nargs=-1, required=True)
@click.option("--questions", "most", default=50, type=click.IntRange(1), show_default=True, help="Of each repository.")
@click.option("--cache-dir", default="cache", show_default=True, help="Where clones of URLs and indexes are kept.")
def main(repos: Sequence[str], most: int, cache_dir: str) -> None:
    """Are the tests on a file's card those that change with it?"""
    click.echo(f"| | {' | '.join(COLUMNS)} |\n|---|{'---:|' * len(COLUMNS)}")
    every = []
    for repo in repos:
        found = np.array(
            [row for one in questions(repo, Path(cache_dir), most) if (row := asked(repo, one, Path(cache_dir)))]
        )
        shares = " | ".join(f"{one:.3f}" for one in found.mean(axis=0)) if len(found) else " | " * 5
        click.echo(f"| {name_of(repo)} | {len(found)} | {shares} |")
        every += found.tolist()
    if every:
        table = np.array(every)
        for name, column in zip(COLUMNS[2:5], (1, 2, 3), strict=True):
            gain = of_mean(table[:, 0] - table[:, column], samples=5000, seed=0)
            interval = f" [{gain['low']:+.3f}, {gain['high']:+.3f}]" if gain["n"] > 1 else ""
            click.echo(f"\ncard over {name}: {gain['mean']:+.3f}{interval}")


def questions(repo: str, cache_dir: Path, most: int) -> Iterator[Question]:
    """The newest of a repository."""
    git_dir = open_repository(repo, cache_dir).git_dir
    commits = raw_log.logged(git_dir, trees.commit_named(git_dir, "HEAD"))
    count = 0
    for at in range(len(commits) - 1, -1, -1):
        one = commits[at]
        sources = [path for _, path, _ in one.changes if is_program(path)]
        tests = frozenset(path for status, path, _ in one.changes if status == "M" and is_test_file(path))
        if (
            len(one.parents) == 1
            and len(sources) == 1
            and 0 < len(tests) <= MOST_TESTS
            and len(one.changes) <= MOST_FILES
        ):
            yield Question(one.parents[0], sources[0], tests, commits[:at])
            count += 1
        if count == most:
            return


def asked(repo: str, question: Question, cache_dir: Path) -> tuple[float, ...] | None:
    """The share of the tests that each way finds; None where the file was not there."""
    path, git_dir = question.path, open_repository(repo, cache_dir).git_dir
    ways = []
    for is_mapped in (True, False):
        with opened(git_dir, cache_dir, question.commit) as cards:
            files = cards.files
            if path not in files:
                return None
            cards.risks = {}  # which say nothing of tests
            if not is_mapped:
                cards.map = None
            try:
                said = cards.of(path).of(TESTS)
            except GitloreError:
                return None
        ways.append([one for one in files if one != path and any(each.text.startswith(f"{one} ") for each in said)])
    named = sorted(one for one in files if one != path and is_test_file(one) and subject(one) == subject(path))
    with_it: Counter[str] = Counter()
    for commit in question.before:
        changed = {one for _, one, _ in commit.changes}
        with_it.update(one for one in sorted(changed) if path in changed and one in files and is_test_file(one))
    past = [one for one, _ in with_it.most_common(TOP)]
    shares = tuple(len(question.tests & set(some[:TOP])) / len(question.tests) for some in (*ways, named, past))
    return *shares, *map(len, ways)


if __name__ == "__main__":
    main()
