"""How much is trained on: bounds, the spread over the history, replay."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.training.plan import Budget, Mixture, Plan, interleaved, kept_plan, make_plan, sampled


class Hundred:
    """A hundred examples of eleven tokens, the first of which has no loss."""

    def __init__(self, count: int = 100) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> dict[str, object]:
        raise NotImplementedError

    def tokens(self, number: int) -> int:
        return 10

    def length(self, number: int) -> int:
        return 20

    def first_tokens(self) -> np.ndarray:
        return np.arange(self.count) * 10


@given(st.integers(1, 300), st.integers(0, 900), st.floats(0.01, 1000))
def test_whole_passes_come_first_and_nothing_twice_in_one(count: int, wanted: int, weight: float) -> None:
    order = sampled(count, wanted, weight)
    assert len(order) == wanted
    times = Counter(order)
    assert all(wanted // count <= times[number] <= wanted // count + 1 for number in range(count))
    for start in range(0, wanted, count):
        one = order[start : start + count]
        assert all(a < b for a, b in itertools.pairwise(one))


def test_the_newest_are_taken_more_often() -> None:
    even, newest = sampled(1000, 100, 1), sampled(1000, 100, 30)
    assert sum(place >= 500 for place in even) == 50
    assert sum(place >= 500 for place in newest) > 80
    assert min(newest) < 250  # but the old ones are there
    halves = np.histogram(newest, bins=4, range=(0, 1000))[0]
    assert list(halves) == sorted(halves)


@pytest.mark.parametrize(
    ("budget", "steps", "bound"),
    [
        (Budget(2.0), 50, "epochs"),
        (Budget(1.0, max_steps=7), 7, "max_steps"),
        (Budget(1.0, max_train_tokens=400), 5, "max_train_tokens"),
        (Budget(1.0, max_train_tokens=401), 6, "max_train_tokens"),
        (Budget(1.0, max_minutes=0.1), 3, "max_minutes"),
        (Budget(0.001), 1, "epochs"),
    ],
)
def test_the_first_bound_ends_it(budget: Budget, steps: int, bound: str) -> None:
    made = make_plan(Hundred(), budget, 4, step_seconds=2.0)
    assert (made.steps, made.bound) == (steps, bound)
    assert len(made.order) == steps * 4
    assert made.covered(Hundred(), steps).trained_tokens == steps * 40
    assert made.covered(Hundred(), 1).trained_tokens == 40
    assert f"{steps:,} steps" in made.sentence()


def test_replay_is_spread_among_what_is_new() -> None:
    made = make_plan(Hundred(), Budget(1.0), 1, Mixture(1, range(80), 0.5))
    assert made.covered(Hundred(), made.steps, range(80)).replayed_blocks == 20
    assert sum(number < 80 for number in made.order) == 20
    assert sorted(number for number in made.order if number >= 80) == list(range(80, 100))
    assert all(sum(number < 80 for number in made.order[start : start + 10]) == 5 for start in range(0, 40, 10))


def test_nothing_to_train_on() -> None:
    with pytest.raises(UserError, match="less than two tokens"):
        make_plan(Hundred(0), Budget(1.0), 1)
    with pytest.raises(UserError, match="less than two tokens"):
        make_plan(Hundred(), Budget(1.0), 1, Mixture(known=range(100)))


@given(st.lists(st.integers(), min_size=1), st.lists(st.integers()))
def test_mixing_keeps_both_orders(first: list[int], second: list[int]) -> None:
    tagged = interleaved([(0, value) for value in first], [(1, value) for value in second])  # type: ignore[list-item]
    assert [value for side, value in tagged if not side] == first  # type: ignore[misc]
    assert [value for side, value in tagged if side] == second  # type: ignore[misc]


def test_a_longer_training_keeps_what_was_trained_on_and_takes_what_was_not() -> None:
    first = make_plan(Hundred(), Budget(1.0, max_steps=20), 1, Mixture(30))
    second = make_plan(Hundred(), Budget(1.0, max_steps=50), 1, Mixture(30)).after(first.order)
    assert second.order[:20] == first.order
    assert len(set(second.order)) == len(second.order) == 50
    shorter = make_plan(Hundred(), Budget(1.0, max_steps=5), 1).after(first.order)
    assert shorter.order == first.order[:5]


def test_a_plan_is_kept_for_the_same_budget_and_made_again_for_another(tmp_path: Path) -> None:
    path = tmp_path / "order.json"

    def plan(budget: Budget, seconds: float, checkpoint: Path | None = None) -> Plan:
        return kept_plan(Hundred(), budget, Mixture(30), 1, step_seconds=seconds, checkpoint=checkpoint, path=path)

    first = plan(Budget(1.0, max_minutes=1.0), 2.0)
    assert first.steps == 30
    assert plan(Budget(1.0, max_minutes=1.0), 3.0) == first  # a slower probe changes nothing
    other = plan(Budget(1.0, max_steps=50), 3.0, tmp_path / "checkpoint-20")
    assert other.steps == 50
    assert other.order[:20] == first.order[:20]
    assert len(set(other.order)) == 50
