"""The fit finds what generated the answers, within its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from core.ranking import calibration, model
from core.ranking.model import Example, softmax


def made_up(weights: list[float], questions: int = 400, candidates: int = 20) -> list[Example]:
    """Questions whose answer is drawn from the shares that the weights give."""
    random = np.random.default_rng(0)
    examples = []
    for _ in range(questions):
        features = random.normal(size=(candidates, len(weights))).astype(np.float32)
        shares = softmax(features @ np.array(weights))
        examples.append(Example(features, np.arange(candidates) == random.choice(candidates, p=shares)))
    return examples


def test_the_weights_that_made_the_answers_are_found() -> None:
    found = model.fit(made_up([2.0, 0.0, -1.0]), ["a", "b", "c"], ridge=0.1, free=["a", "b", "c"]).weights
    assert found["a"] == pytest.approx(2, abs=0.25)
    assert found["b"] == pytest.approx(0, abs=0.2)
    assert found["c"] == pytest.approx(-1, abs=0.2)


def test_evidence_never_speaks_against_a_file() -> None:
    found = model.fit(made_up([2.0, -1.0]), ["a", "b"], ridge=0.1).weights
    assert found["b"] == 0


def test_a_strong_ridge_keeps_the_prior() -> None:
    found = model.fit(made_up([2.0]), ["a"], ridge=1e9, prior={"a": 0.7}).weights
    assert found["a"] == pytest.approx(0.7, abs=1e-3)


def test_a_weight_counts_as_so_many_questions() -> None:
    one, *others = made_up([2.0], questions=6)
    counted = [Example(one.features, one.true, weight=3.0), *others]
    repeated = model.fit([one, one, one, *others], ["a"], ridge=0.1).weights["a"]
    assert model.fit(counted, ["a"], ridge=0.1).weights["a"] == pytest.approx(repeated, rel=1e-2)
    assert repeated != pytest.approx(model.fit([one, *others], ["a"], ridge=0.1).weights["a"], rel=1e-2)


def test_an_offset_stands_for_what_is_known_already() -> None:
    known = [Example(one.features[:, 1:], one.true, offset=2.0 * one.features[:, 0]) for one in made_up([2.0, 1.0])]
    assert model.fit(known, ["b"], ridge=0.1).weights["b"] == pytest.approx(1, abs=0.15)


def test_calibrated_probabilities_come_true() -> None:
    examples = made_up([1.5, 0.5], questions=1500)
    shares = [softmax(example.features @ np.array([3.0, 1.0])) for example in examples]  # twice as sure as right
    weights = calibration.fit(shares[:1000], [example.true for example in examples[:1000]])
    said = np.concatenate([calibration.probabilities(one, weights) for one in shares[1000:]])
    true = np.concatenate([example.true for example in examples[1000:]])
    for low, high in ((0.05, 0.2), (0.2, 0.5), (0.5, 1.0)):
        here = (said >= low) & (said < high)
        assert abs(said[here].mean() - true[here].mean()) < 0.06


def test_without_calibration_a_share_is_the_probability() -> None:
    shares = np.array([0.75, 0.25])
    assert calibration.probabilities(shares, []).tolist() == [0.75, 0.25]
    assert softmax(np.empty(0)).tolist() == []
