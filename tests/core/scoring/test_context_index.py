"""What is asked for token by token is what `guesses` says of all tokens at once, however the history is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scoring.context_index import ContextIndex
from core.scoring.copying import ORDERS, guesses
from core.scoring.segments import CONTEXT_TOKENS, Segment, id_bytes, sorted_places

BLOCK = 256
"""Places whose minimum a segment keeps."""


def index_of(pieces: list[list[int]], size: int) -> ContextIndex:
    index = ContextIndex(size)
    for piece in pieces:
        index = index.extended(np.array(piece, np.int64))
    return index


def asked_one_by_one(index: ContextIndex, text: list[int]) -> list[tuple[int, int]]:
    """The guess before each of the ids."""
    copier, found = index.copier(), []
    for id_ in text:
        found.append(copier.guess())
        copier.read(id_)
    return found


@settings(max_examples=200)
@given(
    st.sampled_from([(2, [0, 1, 2]), (2, [0, 255, 256, 65535]), (4, [0, 1, 65535, 65536, 151_642])]),
    st.lists(st.lists(st.integers(0, 4), max_size=40), max_size=4),
    st.lists(st.integers(0, 4), min_size=1, max_size=80),
)
def test_one_by_one_as_all_at_once(alphabet: tuple[int, list[int]], pieces: list[list[int]], text: list[int]) -> None:
    size, ids = alphabet
    pieces, text = [[ids[n % len(ids)] for n in piece] for piece in pieces], [ids[n % len(ids)] for n in text]
    history = np.array([id_ for piece in pieces for id_ in piece], np.int64)
    expected = guesses(history, np.array(text, np.int64), np.arange(len(text)))
    found = asked_one_by_one(index_of(pieces, size), text)
    if not len(history):  # `guesses` has no token before the first
        expected.ids[0] = expected.orders[0] = -1
    assert found == list(zip(expected.ids.tolist(), expected.orders.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(6))
def test_long_runs_in_long_segments(seed: int) -> None:
    """Repeats of all lengths, more equal contexts than a block holds."""
    random = np.random.default_rng(seed)
    source = random.integers(0, 2 + seed, 60)
    parts = [source[(start := random.integers(0, 50)) : start + random.integers(1, 60)] for _ in range(400)]
    history = np.concatenate(parts)
    text = np.concatenate(parts[-9:] + parts[:9])
    thirds = np.array_split(history, 3)
    assert all(len(third) > 4 * BLOCK for third in thirds)
    expected = guesses(history, text, np.arange(len(text)))
    found = asked_one_by_one(index_of([third.tolist() for third in thirds], 2), text.tolist())
    assert found == list(zip(expected.ids.tolist(), expected.orders.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(8))
def test_the_most_recent_of_many_occurrences(seed: int) -> None:
    """0 stands between two others a thousand times; sorted by what is before it, the last one is anywhere."""
    others = np.random.default_rng(seed).permutation(np.arange(1, 4001)).reshape(-1, 2)
    history = np.append(np.insert(others, 1, 0, axis=1).ravel(), np.arange(5000, 5000 + CONTEXT_TOKENS))
    assert len(others) > 7 * BLOCK
    assert asked_one_by_one(ContextIndex(2).extended(history), [9999, 0, 1])[-1] == (others[-1, 1], 0)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=120), st.integers(0, 3))
def test_places_are_sorted_by_what_is_read_behind_them(ids: list[int], power: int) -> None:
    """Also by long equal runs, and by ids of which few go into a sorting key."""
    backward = np.array(ids) * (1 << 10 * power) if power < 3 else np.zeros(len(ids), np.int64)
    places = sorted_places(backward, len(ids))
    contexts = [backward[place + 1 : place + 1 + CONTEXT_TOKENS].tolist() for place in places]
    assert contexts == sorted(contexts)
    assert sorted(places.tolist()) == list(range(len(ids)))


def test_what_is_read_grows_without_a_bound() -> None:
    text = list(range(700)) * 2
    assert asked_one_by_one(ContextIndex(2), text)[-1] == (699, len(ORDERS) - 1)


@pytest.mark.parametrize(("vocabulary_size", "most"), [(1 << 16, 8), (1 << 17, 12)])
def test_a_token_takes_few_bytes(vocabulary_size: int, most: int) -> None:
    tokens, size = 100_000, id_bytes(vocabulary_size)
    segment = Segment.of(np.arange(tokens) % 999, 0, size)
    assert len(segment.data) == Segment.bytes_of(tokens, 0, size)
    assert len(segment.data) / tokens < most


def test_the_newest_tokens_are_those_of_the_history() -> None:
    index = ContextIndex(2)
    assert index.newest(5).tolist() == []
    for start, end in ((0, 50), (50, 90), (90, 91)):
        index = index.extended(np.arange(start, end))
    for count in (0, 1, 2, 41, 42, 91, 1000):
        assert index.newest(count).tolist() == list(range(91))[91 - min(count, 91) :]
