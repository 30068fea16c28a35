"""Next files compared with frequency and recency, and the calibration of probabilities."""

from __future__ import annotations

import pytest
import torch

from core.evaluation.calibration import calibration
from core.evaluation.next_files import ChangedBefore, commits_to_predict, next_files
from core.prediction.predictor import Predictor
from core.text.grammar import ChangeText, CommitText, FileText, serialise
from core.text.stream import StreamCommit


def commit(*paths: str) -> CommitText:
    files = [
        FileText(path=(path,), language="rust", changes=[ChangeText(change_type="bug_fix", symbol_kind="file")])
        for path in paths
    ]
    return CommitText(year="2024", month="01", author=("Ada",), message=("fix",), files=files)


def stream(predictor: Predictor, *commits: CommitText) -> torch.Tensor:
    pieces = [piece for one in commits for sequence in serialise(one) for piece in sequence]
    return torch.tensor(predictor.vocabulary.encode([pieces])[0])


def test_baselines_know_only_what_was_before(predictor: Predictor) -> None:
    train = stream(predictor, commit("a.rs"), commit("a.rs"), commit("b.rs"))
    test = stream(predictor, commit("c.rs"), commit("b.rs", "c.rs"), commit("a.rs"))
    wanted = [
        (one.commit.files, one.known.frequent()[0], one.known.recent()[0])
        for one in commits_to_predict([train], test, predictor, 1)
    ]
    assert wanted == [(["b.rs", "c.rs"], ["a.rs", "b.rs", "c.rs"], ["c.rs", "b.rs", "a.rs"])]
    found = next_files([train], test, predictor, 9, samples=20, seed=1)
    assert found.commits == 3
    assert found.commits_with_a_known_file == 2
    accuracy = found.accuracy
    assert accuracy["frequency"]["file@1"].mean == pytest.approx(1 / 3)  # a.rs, which comes last
    assert accuracy["recency"]["file@1"].mean == pytest.approx(1 / 3)  # c.rs, in the second
    assert accuracy["recency"]["file@5"].mean == pytest.approx(2 / 3)
    assert accuracy["model"]["file@5"].mean == pytest.approx(2 / 3)  # three files are known at most
    assert accuracy["frequency"]["change_type@1"].mean == 1


def test_the_history_is_what_comes_before(predictor: Predictor) -> None:
    train, test = stream(predictor, commit("a.rs")), stream(predictor, commit("b.rs"), commit("c.rs"))
    (first, second) = commits_to_predict([train], test, predictor, 2)
    whole = torch.cat([train, test]).tolist()
    assert first.history == whole[: len(train)][-128:]
    assert second.history == whole[: len(train) + second.commit.start][-128:]
    assert first.head == whole[len(train) : len(train) + first.commit.head_end]


def test_recency_moves_a_repeated_file_to_the_front() -> None:
    known = ChangedBefore()
    for path in ("a", "b", "c", "a"):
        known.add(StreamCommit(0, changes=[(path, "x")]))
    assert known.recent()[0] == ["a", "c", "b"]
    assert known.frequent()[0][0] == "a"


def test_calibration_compares_probabilities_with_outcomes() -> None:
    well = calibration([(0.9, True)] * 9 + [(0.9, False)] + [(0.01, False)] * 50)
    assert well.expected_calibration_error < 0.02
    assert [one.answers for one in well.bins] == [50, 10]
    poor = calibration([(0.9, False)] * 10)
    assert poor.expected_calibration_error == pytest.approx(0.9)
    assert calibration([(1.0, True)]).bins[0].end == 1.0
    assert calibration([]).answers == 0
