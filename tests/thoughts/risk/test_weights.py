"""How much each thing that is known of a file counts."""

from __future__ import annotations

import numpy as np
import pytest

from thoughts.risk.files import FileFacts
from thoughts.risk.weights import FEATURES, Weights, by_line, features_of, fitted, ranks, scores, shipped


def file_with(**known: float) -> FileFacts:
    values = {"lines": 0, "branches": 0, "changes": 0.0, "recency": 0.0, "fixes": 0.0, "fixes_nearby": 0.0} | known
    return FileFacts("a.py", "", repairs=(), **values)  # type: ignore[arg-type]


def test_ranks_lie_around_zero_and_equal_values_share_theirs() -> None:
    assert ranks(np.array([5.0, 1.0, 5.0, 9.0])).tolist() == [0.0, -0.375, 0.0, 0.375]


def test_what_ships_has_a_weight_above_zero_for_each_feature() -> None:
    assert set(shipped().weights) == set(FEATURES)
    assert min(shipped().weights.values()) > 0
    assert len(shipped().repositories) > 30


def test_only_the_order_within_a_repository_counts() -> None:
    few = [file_with(lines=one, fixes=one) for one in (1, 2, 3)]
    many = [file_with(lines=one, fixes=one) for one in (100, 20_000, 3_000_000)]
    assert scores(few, shipped()).tolist() == scores(many, shipped()).tolist()
    assert np.all(np.diff(scores(few, shipped())) > 0)


def test_no_files_have_no_scores() -> None:
    assert scores([], shipped()).tolist() == []
    assert features_of([]).shape == (0, len(FEATURES))


def test_weights_are_learned_for_what_decides_and_not_for_noise() -> None:
    draw = np.random.default_rng(0)
    cells = []
    for _ in range(6):
        features = np.column_stack([ranks(draw.random(80)) for _ in FEATURES])
        cells.append((features, draw.random(80) < 1 / (1 + np.exp(-8 * features[:, 4]))))
    learned = fitted(cells)
    assert learned["fixes"] > 4 * max(abs(weight) for name, weight in learned.items() if name != "fixes")


def test_a_cell_counts_the_same_however_many_files_it_has() -> None:
    draw = np.random.default_rng(1)
    features = np.column_stack([ranks(draw.random(40)) for _ in FEATURES])
    repaired = features[:, 0] > 0.2
    twice = (np.vstack([features, features]), np.concatenate([repaired, repaired]))
    other = (features[:, ::-1].copy(), repaired)
    assert fitted([twice, other]) == pytest.approx(fitted([(features, repaired), other]), abs=1e-3)


def test_somebody_who_reads_begins_with_short_files_of_equal_risk() -> None:
    order = by_line(np.array([1.0, 1.0, 3.0]), np.array([100.0, 10.0, 0.0]))
    assert np.argsort(-order).tolist() == [2, 1, 0]


def test_weights_are_used_by_name() -> None:
    only = Weights({name: float(name == "recency") for name in FEATURES}, [])
    files = [file_with(lines=9, recency=0.1), file_with(lines=1, recency=0.9)]
    assert np.argsort(scores(files, only)).tolist() == [0, 1]
