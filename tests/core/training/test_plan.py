"""How much is trained on: bounds, the spread over the history, replay."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.training.budget import Budget, drawn, mixed, plan


class Hundred:
    """A hundred examples of eleven tokens, the first of which is not asked for."""

    def __init__(self, count: int = 100) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> dict[str, object]:
        raise NotImplementedError

    def tokens(self, number: int) -> int:
        return 10

    def first_tokens(self) -> np.ndarray:
        return np.arange(self.count) * 10


@given(st.integers(1, 300), st.integers(0, 900), st.floats(0.01, 1000))
def test_whole_passes_come_first_and_nothing_twice_in_one(count: int, wanted: int, weight: float) -> None:
    order = drawn(count, wanted, weight)
    assert len(order) == wanted
    times = Counter(order)
    assert all(wanted // count <= times[number] <= wanted // count + 1 for number in range(count))
    for start in range(0, wanted, count):
        one = order[start : start + count]
        assert all(a < b for a, b in itertools.pairwise(one))


def test_the_newest_are_taken_more_often() -> None:
    even, newest = drawn(1000, 100, 1), drawn(1000, 100, 30)
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
        (Budget(1.0, max_train_tokens=200), 5, "max_train_tokens"),
        (Budget(1.0, max_train_tokens=201), 6, "max_train_tokens"),
        (Budget(1.0, max_minutes=0.1), 3, "max_minutes"),
        (Budget(0.001), 1, "epochs"),
    ],
)
def test_the_first_bound_ends_it(budget: Budget, steps: int, bound: str) -> None:
    made = plan(Hundred(), budget, 4, step_seconds=2.0)
    assert (made.steps, made.bound) == (steps, bound)
    assert len(made.order) == steps * 4
    assert made.covered(Hundred(), steps)["trained_tokens"] == steps * 40
    assert made.covered(Hundred(), 1)["trained_tokens"] == 40
    assert f"{steps:,} steps" in made.sentence()


def test_replay_is_spread_among_what_is_new() -> None:
    made = plan(Hundred(), Budget(1.0), 1, newest_weight=1, earlier=range(80), replay_share=0.5)
    assert made.covered(Hundred(), made.steps, range(80))["replayed_blocks"] == 20
    assert sum(number < 80 for number in made.order) == 20
    assert sorted(number for number in made.order if number >= 80) == list(range(80, 100))
    assert all(sum(number < 80 for number in made.order[start : start + 10]) == 5 for start in range(0, 40, 10))


def test_nothing_to_train_on() -> None:
    with pytest.raises(UserError, match="less than two tokens"):
        plan(Hundred(0), Budget(1.0), 1)
    with pytest.raises(UserError, match="less than two tokens"):
        plan(Hundred(), Budget(1.0), 1, earlier=range(100))


@given(st.lists(st.integers(), min_size=1), st.lists(st.integers()))
def test_mixing_keeps_both_orders(first: list[int], second: list[int]) -> None:
    tagged = mixed([(0, value) for value in first], [(1, value) for value in second])  # type: ignore[list-item]
    assert [value for side, value in tagged if not side] == first  # type: ignore[misc]
    assert [value for side, value in tagged if side] == second  # type: ignore[misc]


def test_a_longer_training_keeps_what_was_trained_on_and_takes_what_was_not() -> None:
    first = plan(Hundred(), Budget(1.0, max_steps=20), 1, newest_weight=30)
    second = plan(Hundred(), Budget(1.0, max_steps=50), 1, newest_weight=30).after(first.order)
    assert second.order[:20] == first.order
    assert len(set(second.order)) == len(second.order) == 50
    shorter = plan(Hundred(), Budget(1.0, max_steps=5), 1).after(first.order)
    assert shorter.order == first.order[:5]
