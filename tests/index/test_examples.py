"""Questions know nothing of their answers, are scored as they should be, and can be learned from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from builders import Repo
from session_code import CODE, begun, known

from index import questions
from index.evaluation import places
from index.examples import answered, place, with_weights
from index.fitting import fitted


@pytest.fixture
def repo(make_repo: Callable[[str], Repo], monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.setattr(questions, "LEAST_CODE", 3)
    return begun(make_repo)


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
    asked = list(answered(known(repo, tmp_path), 10, 10))
    kinds = [one.kind for one in asked]
    assert [kinds.count(kind) for kind in ("full", "masked", "shuffled", "docstring")] == [3, 3, 3, 1]
    weights = fitted(asked, ["a/b"])
    assert weights.made_from == ["a/b"]
    assert weights.files["plain"]
    found = [places(with_weights(one, weights), weights) for one in asked]
    assert [one.files["index"] for one in found if one.kind == "docstring"] == [1]
