"""Figures of a predictor, and intervals: exact where they must be, near the truth where they estimate it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core import statistics
from core.evaluation.figures import figures, gain
from core.scoring.scores import Scores, Targets


def targets_of(commits: int, each: int = 20) -> Targets:
    count = commits * each
    text = np.arange(count) % 4 != 0
    owners = np.repeat(np.arange(commits), each)
    return Targets([(0, count)], np.arange(count), text, owners, np.full(commits, 50))


def test_the_figures_of_a_predictor_are_those_of_a_plain_calculation() -> None:
    one = targets_of(2, each=4)
    found = figures(one, Scores(np.full(8, math.log(4)), np.arange(8) % 2 == 0))
    assert (found.tokens, found.text_tokens, found.text_bytes, found.commits) == (8, 6, 100, 2)
    assert found.loss == pytest.approx(math.log(4))
    assert found.perplexity == found.text_perplexity == pytest.approx(4)
    assert found.bits_per_byte == pytest.approx(8 * 2 / 100)
    assert found.text_bits_per_byte == pytest.approx(6 * 2 / 100)
    assert (found.token_accuracy, found.text_token_accuracy) == (0.5, pytest.approx(2 / 6))
    assert figures(one, Scores(np.full(8, 1000.0))).perplexity == math.inf


def test_a_predictor_against_itself_gives_exactly_zero() -> None:
    one = targets_of(9)
    same = Scores(np.random.default_rng(0).exponential(size=len(one)))
    found = gain(one, same, same, samples=200, seed=1)
    for part in (found.all, found.text):
        assert (part.share, part.low, part.high) == (0.0, 0.0, 0.0)


def test_a_gain_that_every_commit_has_excludes_zero() -> None:
    one = targets_of(30)
    before = Scores(np.random.default_rng(0).exponential(size=len(one)) + 0.5)
    found = gain(one, before, Scores(before.nats * 0.8), samples=500, seed=1)
    assert found.all.share == pytest.approx(0.2)
    assert found.all.low == pytest.approx(0.2)
    noise = Scores(before.nats * np.random.default_rng(2).choice([0.7, 1.3], size=len(one)))
    found = gain(one, before, noise, samples=500, seed=1)
    assert found.all.low is not None
    assert found.all.high is not None
    assert found.all.low < 0 < found.all.high
    assert found.all.interval.startswith("-")


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values = np.random.default_rng(3).normal(5, 2, size=400)
    found = statistics.of_mean(values, samples=2000, seed=4)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found["low"] == pytest.approx(found["mean"] - half, abs=0.01)
    assert found["high"] == pytest.approx(found["mean"] + half, abs=0.01)


def test_one_commit_has_no_interval() -> None:
    one = targets_of(1)
    scores = Scores(np.ones(len(one)))
    assert gain(one, scores, scores, samples=100, seed=1).all.low is None
    assert statistics.of_mean(np.array([1.0]), samples=100, seed=1)["high"] is None
    assert statistics.of_mean(np.array([]), samples=100, seed=1)["mean"] is None
