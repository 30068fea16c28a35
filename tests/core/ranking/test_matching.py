"""Scores are those of Okapi BM25."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ranking.matching import K1, B, Documents, rank_scores, relative
from core.ranking.terms import counted

WORDS = st.lists(st.sampled_from("abcdef"), max_size=8)


def documents(texts: list[list[str]]) -> Documents:
    return Documents.of([counted(text) for text in texts])


@given(
    st.lists(WORDS, min_size=1, max_size=6), st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=4, unique=True)
)
def test_scores_are_those_of_the_formula(texts: list[list[str]], asked: list[str]) -> None:
    found = documents(texts).find(asked).scores(asked)
    filled = [text for text in texts if text] or [[""]]
    mean = sum(map(len, texts)) / len(filled)
    for text, score in zip(texts, found, strict=True):
        expected = 0.0
        for word in asked:
            holding = sum(word in other for other in texts)
            idf = math.log1p((len(filled) - holding + 0.5) / (holding + 0.5))
            many = text.count(word)
            expected += idf * many * (K1 + 1) / (many + K1 * (1 - B + B * len(text) / max(mean, 1e-9))) if many else 0
        assert score == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_a_word_that_is_asked_often_counts_at_most_twice() -> None:
    found = documents([["a"], ["b"]]).find(["a"])
    once, often = found.scores(["a"])[0], found.scores(["a"] * 50)[0]
    assert 2 < often / once < 2.2


def test_nothing_asked_scores_nothing() -> None:
    assert documents([["a"], []]).find([]).scores([]).tolist() == [0, 0]
    assert documents([]).find(["a"]).scores(["a"]).tolist() == []


def test_relative_and_rank_scores_lie_between_0_and_1() -> None:
    scores = np.array([0.0, 3.0, 1.0, 0.0])
    assert relative(scores).tolist() == [0, 1, pytest.approx(1 / 3), 0]
    ranks = rank_scores(scores)
    assert ranks[1] == 1
    assert 0 < ranks[2] < 1
    assert ranks[0] == ranks[3] == 0
    assert relative(np.zeros(2)).tolist() == [0, 0]
