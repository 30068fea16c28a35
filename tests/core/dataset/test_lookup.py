"""Sorted arrays give what dicts and sets give."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.dataset.lookup import added, counted, find

NUMBERS = st.lists(st.integers(-5, 20))


@given(NUMBERS, NUMBERS)
def test_lookups_equal_those_of_dicts(some: list[int], more: list[int]) -> None:
    ordered = np.unique(np.array(some, np.int64))
    places = find(ordered, np.array(more, np.int64)).tolist()
    assert places == [ordered.tolist().index(one) if one in some else -1 for one in more]


@given(NUMBERS, NUMBERS)
def test_counts_equal_those_of_a_counter(some: list[int], more: list[int]) -> None:
    counts = [counted(np.array(numbers, np.int64)) for numbers in (some, more)]
    for (numbers, times), plain in zip([*counts, added(*counts)], (some, more, some + more), strict=True):
        assert numbers.tolist() == sorted(set(plain))
        assert dict(zip(numbers.tolist(), times.tolist(), strict=True)) == Counter(plain)
