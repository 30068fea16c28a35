"""What may be shown: only what git confirms, and a log reproduces."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import Repo

from chat.citations import Citation
from chat.statements import Statement
from core.errors import UserError
from core.git.refs import head
from stores.engine.database import Database
from thoughts.artifacts import Artifacts
from thoughts.insights import Insights, confirmed
from thoughts.kind import Artifact, Insight
from thoughts.tables import INSIGHT_STATES, SCHEMA


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


def made_run(database: Database) -> int:
    """A run of a repository called "r"."""
    rows: dict[str, dict[str, Any]] = {
        "repositories": {"key": "r", "location": "/r", "zone": "UTC", "quiet": "", "studying": 1, "added_at": 0.0},
        "jobs": {
            "id": 1, "repository": "r", "kind": "risk", "digest": "d", "input": {}, "most": {}, "priority": 0.0,
            "run_at": 0.0, "state": "done", "attempts": 0, "losses": 0, "cancel": 0, "reason": "", "created_at": 0.0,
        },
        "runs": {
            "id": 1, "job_id": 1, "worker": "w", "state": "done", "started_at": 0.0, "reserved": {}, "cost": {},
            "log": "", "reason": "",
        },
    }  # fmt: skip
    with database.write() as connection:
        for name, row in rows.items():
            connection.execute(database.table(name).insert().values(**row))
    return 1


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


def test_marks_are_kept_with_their_time_and_shown_by_them(tmp_path: Path, git_dir: Path, insight: Insight) -> None:
    database = Database(SCHEMA, tmp_path)
    with closing(database):
        artifacts = Artifacts(tmp_path / "artifacts", database, 1e6)
        insights = Insights(database, artifacts, clock=lambda: 7.0)
        run_id = made_run(database)
        with database.write() as connection:
            logs = artifacts.keep(connection, run_id, [Artifact("log.txt", b"log")], 1.0)
            for number, kind in enumerate(("digest", "risk", "risk")):
                one = replace(insight, title=f"Number {number}")
                insights.keep(connection, "r", kind, run_id, [one], logs, float(number))
        newest, middle, oldest = insights.shown("r", git_dir)
        assert [one.title for one in (newest, middle, oldest)] == ["Number 2", "Number 1", "Number 0"]
        insights.mark("r", newest.id, "dismissed")
        insights.mark("r", oldest.id, "kept")
        assert [one.id for one in insights.shown("r", git_dir)] == [middle.id, oldest.id]
        assert [one.id for one in insights.shown("r", git_dir, kinds=["risk"])] == [middle.id]
        assert [one.marked_at for one in insights.shown("r", git_dir, states=["kept"])] == [7.0]
        assert [one.id for one in insights.shown("r", git_dir, states=INSIGHT_STATES, most=1)] == [newest.id]
        for number in (newest.id + 1, 0):
            with pytest.raises(UserError, match=f"there is no insight {number} of this repository"):
                insights.mark("r", number, "read")
        artifacts.path(logs["log.txt"]).unlink()
        assert insights.shown("r", git_dir) == []
        assert {why for _, why in insights.looked_at("r", git_dir)} == {"nothing reproduces it"}
