"""Metrics of written code, and where prompts lie."""

from __future__ import annotations

import pytest
import torch

from core.evaluation.continuations import METRICS, metrics, prompts


def test_the_truth_itself_scores_full_marks() -> None:
    code = 'fn main() {\n    let x = 1;\n    println!("{}", x);\n}\n'
    found = metrics([code], [code], samples=0, seed=0)
    assert {name: found[name].mean for name in METRICS} == pytest.approx(dict.fromkeys(METRICS, 1.0))


def test_nothing_scores_nothing_and_near_is_between() -> None:
    truth = "let mut timeout = Duration::from_secs(30);"
    nothing = metrics([""], [truth], samples=0, seed=0)
    assert all(nothing[name].mean == pytest.approx(0) for name in METRICS)
    near = metrics(["let mut timeout = Duration::from_secs(60);"], [truth], samples=0, seed=0)
    assert near["exact_match"].mean == 0
    assert near["edit_similarity"].mean == pytest.approx(1 - 1 / len(truth))
    assert all(0.4 < near[name].mean < 1 for name in METRICS[1:])


def test_prompts_are_spread_and_have_their_context() -> None:
    stream = torch.arange(1000)
    codes = [(start, start + 12) for start in range(10, 990, 20)]
    found = prompts(stream, codes, 100, 8, 4)
    assert len(found) == 4
    assert all(one.position >= 100 for one in found)
    assert all(one.truth == list(range(one.position, one.position + 8)) for one in found)
    assert prompts(stream, [(5, 5), (3, 9)], 4, 8, 4) == []
