"""Questions to an index of code are made by rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo
from session_code import CODE, begun

from index import questions, texts
from index.code_index import CodeIndex
from index.questions import Task


@pytest.fixture
def repo(make_repo: Callable[[str], Repo], monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.setattr(questions, "LEAST_CODE", 3)
    return begun(make_repo)


def asked(repo: Repo) -> list[Task]:
    return questions.tasks(repo.path / ".git", "HEAD", 10)


def test_commits_are_chosen_by_rule(repo: Repo) -> None:
    right = repo.commit(
        "Return nothing when `close_session` fails (#12)\n\nSessions stay open.\n\nSigned-off-by: Ada",
        {"sessions.py": CODE.replace("return None", "return 1"), "tests/test_sessions.py": "def test(): pass\n"},
    )
    repo.commit("Bump the version of some other package", {"sessions.py": CODE})
    repo.commit("Fix it", {"sessions.py": f"{CODE}\n"})  # too few words
    repo.commit("Add a file that nothing else knows", {"new.py": "x = 1\n"})  # nothing modified
    repo.commit("Test the opening of sessions by users", {"tests/test_sessions.py": "def test(): 1\n"})
    (task,) = asked(repo)
    assert (task.hash, task.parent) == (right, repo.git("rev-parse", f"{right}~1"))
    assert task.files == {"sessions.py"}
    assert task.message == "Return nothing when `close_session` fails  \n\nSessions stay open."
    assert task.masked == "Return nothing when fails stay open."


def test_old_lines_are_those_of_the_parent(repo: Repo) -> None:
    repo.commit("Return one when closing a session fails", {"sessions.py": CODE.replace("return None", "return 1")})
    (task,) = asked(repo)
    rows = questions.old_rows(repo.path / ".git", task, "sessions.py")
    symbols = texts.parsed(CODE.encode(), "sessions.py").symbols
    assert rows == [(7, 7)]
    assert [symbols[one].name for one in questions.right_documents(rows, symbols)] == ["close_session"]
    assert questions.right_documents([(4, 5)], symbols) == set()


def test_docstrings_are_taken_out_line_by_line() -> None:
    source = CODE.encode() + b"\n\n# A comment\nclass A:\n    '''Open the session.\n\n    Another line.\n    '''\n"
    without = questions.without_docs(source, "sessions.py")
    assert len(without) == len(source)
    assert without.count(b"\n") == source.count(b"\n")
    assert b"belongs" not in without
    assert b"Another" not in without
    assert b"return user.session" in without


def test_sentences_are_asked_once_and_stand_once(repo: Repo, tmp_path: Path) -> None:
    repo.commit("Copy", {"copy.py": CODE, "alone.py": 'def alone():\n    """Stands by itself in one place."""\n'})
    with CodeIndex(repo.path / ".git", tmp_path) as index:
        index.update("HEAD")
        found = questions.sentences(index.corpus(), 10)
    assert [(one.text, one.symbol, one.first) for one in found] == [("Stands by itself in one place.", "alone", 1)]
