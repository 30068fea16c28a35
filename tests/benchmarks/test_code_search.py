"""Questions to an index of code are made by rule, know nothing of their answers, and are scored as they should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from builders import Repo
from click.testing import CliRunner

from benchmarks import code_questions
from benchmarks.code_examples import answered, place, with_weights
from benchmarks.code_questions import Task
from benchmarks.code_search import fitted, in_markdown, main, places
from index import texts
from index.search import Weights

CODE = '''def open_session(user):
    """Open the session that belongs to a user."""
    return user.session


def close_session(user):
    return None
'''


@pytest.fixture
def repo(make_repo: Callable[[str], Repo], monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.setattr(code_questions, "LEAST_CODE", 3)
    made = make_repo("questions")
    others = {f"part{number}.py": f"def part{number}():\n    return {number}\n" for number in range(3)}
    made.commit("Begin", {"sessions.py": CODE, "tests/test_sessions.py": "def test(): ...\n", **others})
    return made


def asked(repo: Repo) -> list[Task]:
    return code_questions.tasks(repo.path / ".git", 10)


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
    rows = code_questions.old_rows(repo.path / ".git", task, "sessions.py")
    symbols = texts.parsed(CODE.encode(), "sessions.py").symbols
    assert rows == [(7, 7)]
    assert [symbols[one].name for one in code_questions.right_documents(rows, symbols)] == ["close_session"]
    assert code_questions.right_documents([(4, 5)], symbols) == set()


def test_docstrings_are_taken_out_line_by_line() -> None:
    source = CODE.encode() + b"\n\n# A comment\nclass A:\n    '''Open the session.\n\n    Another line.\n    '''\n"
    without = code_questions.without_docs(source, "sessions.py")
    assert len(without) == len(source)
    assert without.count(b"\n") == source.count(b"\n")
    assert b"belongs" not in without
    assert b"Another" not in without
    assert b"return user.session" in without


def test_sentences_are_asked_once_and_stand_once(repo: Repo) -> None:
    repo.commit("Copy", {"copy.py": CODE, "alone.py": 'def alone():\n    """Stands by itself in one place."""\n'})
    found = code_questions.sentences(repo.path / ".git", "HEAD", 10)
    assert [(one.text, one.symbol, one.first) for one in found] == [("Stands by itself in one place.", "alone", 1)]


def test_places_count_from_one_and_share_equal_scores() -> None:
    scores = np.array([3.0, 2.0, 2.0, 1.0])
    allowed = np.array([True, True, True, True])
    assert place(scores, np.array([True, False, False, False]), allowed) == 1
    assert place(scores, np.array([False, True, False, False]), allowed) == 2.5
    assert place(scores, np.array([False, False, False, True]), np.array([False, True, True, True])) == 3
    assert place(scores, np.zeros(4, bool), allowed) == float("inf")


def test_a_repository_is_asked_learned_from_and_scored(repo: Repo, tmp_path: Path) -> None:
    for number in range(3):
        text = CODE.replace("return None", f"return {number}")
        repo.commit(f"Return number {number} when closing a session fails", {"sessions.py": text})
    questions = list(answered(repo.path / ".git", tmp_path, 10, 10))
    kinds = [one.kind for one in questions]
    assert [kinds.count(kind) for kind in ("full", "masked", "shuffled", "docstring")] == [3, 3, 3, 1]
    weights = fitted(questions, ["a/b"])
    assert weights.made_from == ["a/b"]
    assert weights.files["plain"]
    found = [places(with_weights(one, weights), weights) for one in questions]
    assert [one.files["index"] for one in found if one.kind == "docstring"] == [1]
    assert any("+0." in line or "-0." in line for line in in_markdown({"a/b": found}))


def test_the_command_prints_a_table(repo: Repo, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["score", str(repo.path), "--tasks", "2", "--cache-dir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "**Docstrings: symbols**" in done.output
    assert Weights.shipped().made_from
