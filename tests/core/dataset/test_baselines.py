"""Baselines against plain counting."""

from __future__ import annotations

import itertools
import lzma
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from builders import most_memory
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dataset import baselines
from core.dataset.summary import counted

SIZE = 12
STREAMS = st.lists(st.integers(0, SIZE - 1), max_size=60)


def plainly(train: list[int], stream: list[int]) -> tuple[float, float, float]:
    """(unigram, bigram, trigram) bits by the formulas, one token at a time."""
    kinds, total = len(set(train)), len(train)
    single = {word: (train.count(word) + kinds / SIZE) / (total + kinds) if total else 1 / SIZE for word in range(SIZE)}
    pairs, before = Counter(itertools.pairwise(train)), Counter(train[:-1])
    different = Counter(first for first, _ in pairs)
    triples = Counter(zip(train, train[1:], train[2:], strict=False))
    pair_before = Counter(pair for *pair, _ in map(list, triples.elements()) for pair in [tuple(pair)])
    pair_different = Counter(triple[:2] for triple in triples)
    one = two = three = 0.0
    for place, (history, word) in enumerate(itertools.pairwise(stream)):
        one -= math.log2(single[word])
        c, t = before[history], different[history]
        double = (pairs[history, word] + t * single[word]) / (c + t) if c else single[word]
        two -= math.log2(double)
        longer = (stream[place - 1], history) if place else ()
        c, t = pair_before[longer], pair_different[longer]
        three -= math.log2((triples[*longer, word] + t * double) / (c + t) if c else double)
    return one, two, three


@settings(max_examples=200)
@given(STREAMS, STREAMS, st.sampled_from([1, 5, 1000]))
def test_counting_equals_the_plain_loop(train: list[int], stream: list[int], at_once: int) -> None:
    known, asked = np.array(train, np.int32), np.array(stream, np.int32)
    one, two, three = plainly(train, stream)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baselines, "_MOST_GRAMS", at_once)
        patch.setattr(baselines, "_BLOCK", 7)
        unigram, bigram, trigram = (
            baselines.Entropy.of(method(known, SIZE, asked))
            for method in (baselines.unigram, baselines.bigram, baselines.trigram)
        )
    assert unigram.tokens == bigram.tokens == trigram.tokens == max(len(stream) - 1, 0)
    assert unigram.bits == pytest.approx(one)
    assert bigram.bits == pytest.approx(two)
    assert trigram.bits == pytest.approx(three)
    uniform = baselines.Entropy.of(baselines.uniform(SIZE, asked))
    assert uniform.bits == pytest.approx(math.log2(SIZE) * unigram.tokens)


@pytest.mark.parametrize("size", [0, 1, 1000, 4096, 5003, 100_001])
def test_entropy_in_pieces_is_that_of_one_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(baselines, "_BLOCK", 999)
    monkeypatch.setattr(baselines, "_ADDED_AT_ONCE", 1024)
    chances = np.random.default_rng(5).uniform(1e-6, 1, size)
    spool = baselines.Spool(tmp_path / "spool", size, 0.25)
    assert baselines.Entropy.of(spool).bits == 2 * size
    for start in range(0, size, 777):
        spool[start : start + 777] = chances[start : start + 777]
    assert baselines.Entropy.of(spool) == baselines.Entropy(float(-np.log2(chances).sum()), size)


def test_probabilities_add_up_to_one() -> None:
    train = np.array([1, 2, 3, 1, 2, 2, 5], np.int32)
    for history in range(SIZE):
        chances = [baselines.bigram(train, SIZE, np.array([history, word], np.int32))[0] for word in range(SIZE)]
        assert sum(chances) == pytest.approx(1)


def test_compressing_in_pieces_equals_compressing_at_once() -> None:
    texts = [b"fn a() {}\n" * 50, b"", b"let x = 1;\n" * 9]
    assert baselines.compressed_bits(texts) == 8 * len(lzma.compress(b"".join(texts), preset=6))


def test_counting_four_times_the_text_takes_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "_BLOCK", 1 << 12)
    monkeypatch.setattr(baselines, "_ADDED_AT_ONCE", 1 << 12)
    monkeypatch.setattr(baselines, "_MOST_GRAMS", 1 << 13)

    def count(size: int) -> None:
        train, stream = np.random.default_rng(1).integers(0, 500, (2, size), np.int32)
        taken.append(most_memory(lambda: counted(train, {"val": stream}, 500, tmp_path)))

    taken: list[int] = []
    for size in (40_000, 160_000):
        count(size)
    assert taken[1] < 1.5 * taken[0]
