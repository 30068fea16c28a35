"""What may be shown: only what git confirms, and a log reproduces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from builders import Repo

from chat.citations import Citation
from chat.statements import Statement
from core.git.refs import head
from thoughts.insights import confirmed
from thoughts.kind import Insight


@pytest.fixture(scope="module")
def git_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose only commit has a credential in its message."""
    repo = Repo.new(tmp_path_factory.mktemp("insights") / "repo")
    repo.commit(f"begin with ghp_{'a1B2' * 9}", {"a.py": "x = 1\n"})
    return repo.path / ".git"


@pytest.fixture
def insight(git_dir: Path) -> Insight:
    """One that may be shown."""
    said = Statement("It begins.", (Citation(head(git_dir), "begin with"),))
    return Insight("There is a beginning", (said,), "git log", "log.txt")


def why(git_dir: Path, insight: Insight, *logs: str) -> str:
    """Why it may not be shown; "" where it may."""
    kept, refused = confirmed([insight], dict.fromkeys(logs), git_dir)
    assert len(kept) + len(refused) == 1
    return "".join(refused)


def test_what_git_confirms_and_a_log_reproduces_is_shown(git_dir: Path, insight: Insight) -> None:
    assert why(git_dir, insight, "log.txt") == ""
    assert confirmed([], {}, git_dir) == ([], [])


def test_what_nothing_reproduces_is_not_shown(git_dir: Path, insight: Insight) -> None:
    for one, log in ((insight, "other.txt"), (replace(insight, command=" "), "log.txt")):
        assert why(git_dir, one, log) == "left out “There is a beginning”: nothing reproduces it"


def test_every_statement_and_every_citation_counts(git_dir: Path, insight: Insight) -> None:
    (said,) = insight.statements
    (cited,) = said.citations
    for statement, reason in (
        (Statement("It ends.", ()), "a statement cites nothing"),
        (replace(said, why="the lines say nothing of it"), "a statement is not supported: the lines say nothing of it"),
        (replace(said, citations=(cited, replace(cited, quote="end"))), "the message of the commit does not say this"),
        (replace(said, citations=(replace(cited, commit="f" * 40),)), "there is no such commit"),
        (replace(said, citations=(replace(cited, quote=f"ghp_{'a1B2' * 9}"),)), "quotes a credential"),
    ):
        assert why(git_dir, replace(insight, statements=(said, statement)), "log.txt").endswith(reason)
    assert why(git_dir, replace(insight, statements=()), "log.txt").endswith("it says nothing")
    assert why(git_dir, replace(insight, title=" "), "log.txt").endswith("it says nothing")
