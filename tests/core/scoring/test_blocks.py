"""Blocks are spread over a stream and keep to their budget."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from core.scoring.blocks import spread_blocks


@given(st.integers(0, 500), st.integers(1, 40), st.one_of(st.none(), st.integers(1, 600)))
def test_blocks_do_not_overlap_and_keep_to_the_budget(length: int, width: int, most: int | None) -> None:
    blocks = spread_blocks(length, width, most)
    assert all(a < b <= length for a, b in blocks)
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(blocks))
    if most is not None:
        assert len(blocks) <= max(most // width, 1)
    elif length > 1:
        assert blocks[0][0] == 0
        assert length - blocks[-1][1] <= 1


def test_blocks_are_spread() -> None:
    starts = [start for start, _ in spread_blocks(1000, 10, 40)]
    assert starts == [120, 370, 620, 870]
