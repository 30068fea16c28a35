"""Figures are those of the answers, and what is scored was not learned from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo

from index import evaluation, gate, questions
from index.code_index import CodeIndex
from index.evaluation import INDEX, PRIOR, SHIPPED, SYMBOLS, Places, evaluated, figures
from index.examples import Answered
from index.search import Weights


def test_figures_are_means_of_reciprocal_places() -> None:
    some = [
        Places("full", "plain", {INDEX: 1, SYMBOLS: 2}, {}),
        Places("full", "plain", {INDEX: 2, SYMBOLS: 8}, {INDEX: 4, SYMBOLS: float("inf")}),
    ]
    files, symbols = figures(some)
    assert (files.kind, files.right, files.questions) == ("full", "files", 2)
    assert files.mrr == {INDEX: 0.75, SYMBOLS: (1 / 2 + 1 / 8) / 2}
    assert files.among_first == {INDEX: 1.0, SYMBOLS: 0.5}
    assert files.gain == pytest.approx(files.mrr[INDEX] - files.mrr[SYMBOLS])
    assert files.low is not None
    assert files.low <= files.gain <= (files.high or 0)
    assert (symbols.right, symbols.questions, symbols.low) == ("symbols", 1, None)
    assert symbols.mrr == {INDEX: 0.25, SYMBOLS: 0.0}
    assert figures([]) == []


@pytest.fixture
def known(make_repo: Callable[[str], Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CodeIndex:
    monkeypatch.setattr(questions, "LEAST_CODE", 1)
    repo = make_repo("evaluated")
    for number in range(4):
        text = f"def close_session(user):\n    return {number}\n"
        repo.commit(f"Return number {number} when closing a session fails", {"sessions.py": text})
    index = CodeIndex(repo.path / ".git", tmp_path)
    index.update("HEAD")
    return index


def test_the_newer_third_is_answered(known: CodeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    learned_from: list[Answered] = []

    def gated(asked: list[Answered], shipped: Weights) -> tuple[Weights, list[str]]:
        learned_from.extend(asked)
        return shipped, ["nothing"]

    monkeypatch.setattr(gate, "gated", gated)
    found = evaluated(known, 100)
    assert (found.commit, found.asked, found.is_whole, found.verdicts) == (known.commit, 6, True, ["nothing"])
    assert [(one.kind, one.right, one.questions) for one in found.figures] == [
        *(("full", "files", 1), ("full", "symbols", 1), ("masked", "files", 1), ("masked", "symbols", 1)),
    ]
    assert {SHIPPED, SYMBOLS, PRIOR} < set(found.figures[0].mrr)
    assert len(learned_from) == 4


def test_it_ends_in_time(known: CodeIndex) -> None:
    asked: list[int] = []
    found = evaluated(known, -1, asked.append)
    assert (found.asked, found.is_whole, asked) == (1, False, [1])
    assert evaluation.held_out([], Weights.shipped())[0] == []
