"""A repository's own weights replace the shipped ones only where newer questions show that they are better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from index import gate
from index.examples import Answered
from index.search import CLASSES, Weights

FILES, DOCUMENTS = ("a_100", "s_words", "k_test"), ("w_all", "f_share", "f_rank", "k_function")
SHIPPED = Weights(
    {one: {"a_100": 2.0, "s_words": 0.5} for one in CLASSES},
    {one: {"f_share": 1.0, "w_all": 0.5} for one in CLASSES},
    [],
)
NOBODY = Weights({one: {"a_100": 2.0} for one in CLASSES}, {one: {"f_share": 2.0} for one in CLASSES}, [])


def question(number: int, *, telling: str, kind: str = "full") -> Answered:
    """A question to eight files with a document each, of which one feature of both tells the right one."""
    draw = np.random.default_rng(number)
    right = np.arange(8) == draw.integers(8)
    files = {name: draw.random(8) for name in FILES} | {"k_test": np.zeros(8)}
    documents = {name: draw.random(8) for name in DOCUMENTS} | {"k_function": np.ones(8)}
    files[telling] = files[telling] / 4 + right
    documents["w_all"] = files["s_words"]
    everything = np.ones(8, bool)
    place = 1.0 + (documents["w_all"] > documents["w_all"][right]).sum()
    return Answered(
        name=str(number), kind=kind, of_class="plain", files=files, documents=documents, right_files=right,
        right_documents=right, code_files=everything, code_documents=everything,
        document_files=np.arange(8, dtype=np.int32), baseline=files["s_words"], baseline_place=place,
    )  # fmt: skip


def test_own_weights_are_kept_where_they_are_better() -> None:
    questions = [question(number, telling="s_words") for number in range(60)]
    weights, (of_files, of_symbols) = gate.gated(questions, SHIPPED)
    assert of_files.startswith("files: own weights; own against shipped weights: +")
    assert weights.files["plain"]["s_words"] > 1 > SHIPPED.files["plain"]["s_words"]
    assert weights.files["named"] == SHIPPED.files["named"]
    assert of_symbols.startswith("symbols: own weights; ")


def test_shipped_weights_stay_where_their_own_are_not_better_beyond_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [question(number, telling="s_words") for number in range(60)]
    monkeypatch.setattr(gate, "LEAST", 100)
    weights, (of_files, _) = gate.gated(questions, SHIPPED)
    assert of_files.startswith("files: shipped weights; ")
    assert weights.files == SHIPPED.files


def test_a_few_questions_replace_nothing() -> None:
    questions = [question(number, telling="s_words") for number in range(gate.LEAST - 1)]
    weights, verdicts = gate.gated(questions, NOBODY)
    assert (weights.files, weights.documents) == (NOBODY.files, NOBODY.documents)
    assert verdicts[0] == (
        "files: shipped weights; own against shipped weights: too few questions (6);"
        " BM25 against the better: too few questions (11)"
    )
    assert gate.gated([], SHIPPED)[0].files == SHIPPED.files


def test_words_alone_are_taken_where_they_are_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "RIDGE", 1e9)  # own weights are the shipped ones
    questions = [question(number, telling="s_words") for number in range(60)]
    weights, (of_files, _) = gate.gated(questions, NOBODY)
    assert of_files.startswith("files: BM25 over symbols alone; ")
    assert list(weights.files["plain"]) == ["s_words"]


def test_weights_are_checked_on_newer_questions_than_they_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[list[str]] = []

    def fit(questions: list[Answered], *_: object) -> gate.ByClass:
        learned.append([one.name for one in questions])
        return SHIPPED.files

    monkeypatch.setattr(gate, "FILES", replace(gate.FILES, fit=fit))
    gate.gated([question(number, telling="s_words") for number in range(9)], SHIPPED)
    assert learned == [["3", "4", "5", "6", "7", "8"], ["6", "7", "8"]]


def test_a_third_of_commits_and_of_docstrings_is_newer() -> None:
    commits = [question(number, telling="s_words", kind=kind) for number in range(6) for kind in ("full", "masked")]
    sentences = [question(number, telling="s_words", kind="docstring") for number in range(100, 109)]
    assert gate.newer([*sentences, *commits]) == {"0", "1", "100", "101", "102"}
