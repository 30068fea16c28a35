"""Long code in parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.chunking.parts import cut

LINES = st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=40)


@given(LINES, LINES, st.integers(20, 200), st.dictionaries(st.integers(0, 40), st.integers(0, 3)))
def test_parts_are_the_whole_and_small(old: list[bytes], new: list[bytes], most: int, depths: dict[int, int]) -> None:
    sizes = list(map(len, old)), list(map(len, new))
    parts = cut(*sizes, lambda line: line * len(old) // max(len(new), 1), depths, most)
    assert b"".join(b"".join(old[a:b]) for (a, b), _ in parts) == b"".join(old)
    assert b"".join(b"".join(new[a:b]) for _, (a, b) in parts) == b"".join(new)
    for spans in parts:
        for lines, (first, end) in zip((old, new), spans, strict=True):
            assert end - first <= 1 or sum(map(len, lines[first:end])) <= most


def test_long_code_is_cut_where_nesting_is_shallowest() -> None:
    parts = cut([], [11] * 10, lambda line: 0, {5: 1, 6: 0, 7: 1}, 88)
    assert [new for _, new in parts] == [(0, 6), (6, 10)]


def test_without_good_places_a_cut_is_as_late_as_possible() -> None:
    parts = cut([9] * 5, [], lambda line: 0, {}, 20)
    assert [old for old, _ in parts] == [(0, 2), (2, 4), (4, 5)]
