"""N-grams: hashes that distinguish them, and the share of a stream that another one holds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scoring.ngrams import NgramHashes, share_seen


@settings(max_examples=100)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), st.sampled_from([1, 2, 3, 5, 8, 12]))
def test_equal_ngrams_have_equal_hashes_and_others_do_not(ids: list[int], length: int) -> None:
    made = NgramHashes(np.array(ids, np.int64)).of(length)
    ngrams = {end: tuple(ids[end - length + 1 : end + 1]) for end in range(length - 1, len(ids))}
    for one, first in ngrams.items():
        for other, second in ngrams.items():
            assert (made[one] == made[other]) == (first == second)


def test_tokens_are_seen_in_long_ngrams_only() -> None:
    assert share_seen(np.arange(5), np.arange(99)) == 0.0
    assert share_seen(np.arange(99), np.arange(99)) == 1.0
    held_out = np.concatenate([np.arange(40), np.arange(1000, 1060)])
    assert share_seen(np.arange(99), held_out) == 0.4
    assert share_seen(np.arange(31), held_out) == 0.0
    assert share_seen(np.arange(32), held_out) == 0.32
