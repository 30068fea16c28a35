"""How sure one can be of a share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.agent import beliefs

COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda two: (min(two), max(two))), max_size=8)


@pytest.mark.parametrize(
    ("k", "n", "bound"), [(1, 1, 0.224), (3, 3, 0.473), (8, 10, 0.530), (80, 100, 0.725), (800, 1000, 0.778)]
)
def test_the_bound_is_that_of_the_beta_posterior(k: int, n: int, bound: float) -> None:
    assert beliefs.lower_bound(1 + k, 1 + n - k) == pytest.approx(bound, abs=5e-4)


@given(COUNTS)
def test_a_prior_keeps_the_share_and_never_weighs_more_than_allowed(counts: list[tuple[int, int]]) -> None:
    a, b = beliefs.prior_of(counts)
    weight, trials = a + b - 2, sum(n for _, n in counts)
    used = sum(1 for _, n in counts if n)
    assert weight <= min(beliefs.MAX_PRIOR_WEIGHT, trials, beliefs.WEIGHT_PER_REPOSITORY * used) + 1e-9
    if trials:
        assert (a - 1) / weight == pytest.approx(sum(k for k, _ in counts) / trials)
    else:
        assert (a, b) == (1, 1)


def test_repositories_that_differ_weigh_less_than_ones_that_agree() -> None:
    agree = beliefs.effective_size([(50, 100)] * 6)
    differ = beliefs.effective_size([(0, 100), (100, 100)] * 3)
    assert agree == 30
    assert differ < 6


@given(COUNTS.filter(lambda counts: any(n for _, n in counts)))
def test_the_order_of_repositories_does_not_matter(counts: list[tuple[int, int]]) -> None:
    assert beliefs.prior_of(sorted(counts)) == pytest.approx(beliefs.prior_of(sorted(counts, reverse=True)))
