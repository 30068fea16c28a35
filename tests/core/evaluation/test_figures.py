"""Intervals: exact where they must be, near the truth where they estimate it."""

from __future__ import annotations

import numpy as np
import pytest

from core import statistics
from core.evaluation import bootstrap
from core.scoring.scores import Asked, Scores


def asked(commits: int, each: int = 20) -> Asked:
    count = commits * each
    text = np.arange(count) % 4 != 0
    return Asked([(0, count)], count, np.arange(count), text, np.repeat(np.arange(commits), each), np.full(commits, 50))


def test_a_predictor_against_itself_gives_exactly_zero() -> None:
    one = asked(9)
    same = Scores(np.random.default_rng(0).exponential(size=len(one)))
    for part in bootstrap.difference(one, same, same, samples=200, seed=1).values():
        assert (part["share"], part["low"], part["high"]) == (0.0, 0.0, 0.0)


def test_a_gain_that_every_commit_has_excludes_zero() -> None:
    one = asked(30)
    before = Scores(np.random.default_rng(0).exponential(size=len(one)) + 0.5)
    found = bootstrap.difference(one, before, Scores(before.nats * 0.8), samples=500, seed=1)
    assert found["all"]["share"] == pytest.approx(0.2)
    assert found["all"]["low"] == pytest.approx(0.2)
    noise = Scores(before.nats * np.random.default_rng(2).choice([0.7, 1.3], size=len(one)))
    found = bootstrap.difference(one, before, noise, samples=500, seed=1)
    assert found["all"]["low"] < 0 < found["all"]["high"]


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values = np.random.default_rng(3).normal(5, 2, size=400)
    found = statistics.of_mean(values, samples=2000, seed=4)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found["low"] == pytest.approx(found["mean"] - half, abs=0.03)
    assert found["high"] == pytest.approx(found["mean"] + half, abs=0.03)


def test_one_commit_has_no_interval() -> None:
    one = asked(1)
    scores = Scores(np.ones(len(one)))
    assert bootstrap.difference(one, scores, scores, samples=100, seed=1)["all"]["low"] is None
    assert statistics.of_mean(np.array([1.0]), samples=100, seed=1)["high"] is None
    assert statistics.of_mean(np.array([]), samples=100, seed=1)["mean"] is None
