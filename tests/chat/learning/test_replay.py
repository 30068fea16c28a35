"""Commits are put to the chat as questions, and other weights move the places as asking again would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import Repo
from session_code import CODE

from chat.citations import Citations
from chat.learning.places import Candidates
from chat.learning.replay import replayed
from chat.questions import Asked, read
from chat.subjects import Subjects
from index import questions
from index.code_index import CodeIndex
from index.search import Learned, Weights

QUESTION = "the session of a user that is opened and closed"


@pytest.fixture
def index(make_repo: Callable[[str], Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CodeIndex]:
    monkeypatch.setattr(questions, "LEAST_CODE", 3)
    repo = make_repo("replayed")
    bodies = {f"part{one}": "    session.user\n" * (one + 1) for one in range(4)}
    parts = {f"{name}.py": f"import os\n\n\ndef {name}(session):\n{body}" for name, body in bodies.items()}
    repo.commit("Begin", {"sessions.py": CODE, **parts})
    for number in range(3):
        text = CODE.replace("return None", f"return {number}")
        repo.commit(f"Return number {number} when the session of a user is closed", {"sessions.py": text})
    with CodeIndex(repo.path / ".git", tmp_path / "cache") as found:
        found.update("HEAD")
        yield found


def test_each_commit_is_asked_about_at_one_that_does_not_know_it(index: CodeIndex) -> None:
    before = index.commit, index.search(QUESTION)
    found = list(replayed(index, 3, 2))
    assert [one.kind for one in found].count("full") == 3
    assert {one.name for one in found} == {task.hash for task in questions.tasks(index.git_dir, "HEAD", 3)}
    for one in found:
        assert [place for place, is_right in zip(one.places, one.right, strict=True) if is_right] == [
            ("sessions.py", "close_session")
        ]
        assert one.rank(index.weights) > 0
        assert one.rank(index.weights, 1) in (0.0, 1.0)
    assert (index.commit, index.search(QUESTION)) == before


@pytest.mark.parametrize("question", [QUESTION, "`close_session` of a user"])
def test_other_weights_order_places_as_asking_again_would(index: CodeIndex, question: str) -> None:
    asked = replace(read(question), kind="where")
    before, found = asked_of(index, asked)
    assert found.scores(index.weights) == pytest.approx(found.final, rel=1e-5)
    shipped = Weights.shipped()
    other = {
        of_class: {name: -weight if name.startswith("k_") else 0.3 * weight for name, weight in own.items()}
        for of_class, own in shipped.documents.items()
    }
    weights = Weights(shipped.files, other, [])
    moved = found.scores(weights)
    index.keep(Learned(index.commit or "", 1, weights, []))
    after, _ = asked_of(index, asked)
    order = [before[place] for place in sorted(range(len(before)), key=lambda place: -moved[place])]
    assert order == after != before


def asked_of(index: CodeIndex, asked: Asked) -> tuple[list[str], Candidates]:
    with Citations(index.git_dir) as citations:
        hits, _ = Subjects(index.git_dir, index, citations).of(asked, index.commit or "")
    found = Candidates.of(hits, index.weights)
    assert found
    return [f"{hit.path} {hit.symbol}" for hit in hits], found


def test_an_index_without_a_commit_is_asked_nothing(tmp_path: Path, make_repo: Callable[[str], Repo]) -> None:
    with CodeIndex(make_repo("empty").path / ".git", tmp_path) as empty:
        assert list(replayed(empty)) == []
