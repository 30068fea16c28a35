"""Figures of evidence, and the defaults that they are compared with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.agent.context_types import CONTEXT_TYPES, FILES, LINES, Choice, Size
from stores.agent.summary import QUANTILES, Values, quantiles_of, shares_of


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 400)), min_size=1, max_size=60))
def test_quantiles_are_those_of_numpy(rows: list[tuple[str, int]]) -> None:
    values = Values()
    for repository, value in rows:
        values.add(repository, value)
    sizes = [value for _, value in rows]
    found = quantiles_of(values)
    for name, share in QUANTILES.items():
        assert found[name] == np.quantile(sizes, share, method="inverted_cdf")
    assert (found["n"], found["n_repos"]) == (len(rows), len({repository for repository, _ in rows}))


def test_shares_are_ranked() -> None:
    values = Values()
    for word in ("b", "a", "a", "c"):
        values.add("r", word)
    assert list(shares_of(values).items()) == [("a", 0.5), ("b", 0.25), ("c", 0.25)]


@pytest.mark.parametrize("size", [FILES, LINES])
def test_bins_hold_every_size_once_and_defaults_are_probabilities(size: Size) -> None:
    assert len(size.bins) == len(size.edges) + 1 == len(size.default())
    assert sum(size.default()) == pytest.approx(1)
    assert [size.bin_of(edge) for edge in size.edges] == list(range(len(size.edges)))
    assert size.bin_of(10_000) == len(size.edges)
    assert size.quantile(0.5) == pytest.approx(size.median, abs=0.51)


def test_every_context_type_has_defaults() -> None:
    for context in CONTEXT_TYPES.values():
        for name, target in context.targets.items():
            words = ("x", "y", "z") if isinstance(target, Choice) else ()
            assert sum(context.default(name, words)) == pytest.approx(1)
