"""A planted leak is seen, and what a history repeats by itself is not taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.contamination import codes, contamination
from core.text.grammar import CODE_END, CODE_START

MARKERS = {str(CODE_START): 1000, str(CODE_END): 1001}
DRAW = np.random.default_rng(0)


def history(changes: int, size: int = 60) -> np.ndarray:
    parts = [[1000, *DRAW.integers(0, 900, size), 1001] for _ in range(changes)]
    return np.array([id_ for part in parts for id_ in part], np.int64)


def test_a_planted_leak_is_seen() -> None:
    train, test = history(50), history(20)
    clean = contamination(train, test, MARKERS)
    assert (clean.changes, clean.changes_in_training, clean.suspicious) == (20, 0, False)
    assert clean.share_of_tokens_in_seen_runs == 0
    leaked = contamination(np.concatenate([train, test[: 3 * 62]]), test, MARKERS)
    assert (leaked.changes_in_training, leaked.suspicious) == (3, True)
    assert 0.14 < leaked.share_of_tokens_in_seen_runs < 0.16


def test_a_leak_that_is_cut_anywhere_is_seen_by_its_ngrams() -> None:
    train, test = history(50), history(20)
    leaked = contamination(np.concatenate([train, test[70:300]]), test, MARKERS)
    assert leaked.share_of_tokens_in_seen_runs == 230 / len(test)


@pytest.mark.parametrize(("leaked", "suspicious"), [(2, False), (3, True)])
def test_more_than_two_percent_of_the_changes_are_suspicious(leaked: int, suspicious: bool) -> None:
    train, test = history(50), history(100)
    assert contamination(np.concatenate([train, test[: leaked * 62]]), test, MARKERS).suspicious == suspicious


def test_code_counts_from_32_tokens_on() -> None:
    short = history(5, size=31)
    assert contamination(short, short, MARKERS).changes == 0
    assert [len(code) for code in codes(history(2, size=32), MARKERS)] == [32, 32]


def test_an_empty_stream_has_no_contamination() -> None:
    assert contamination(np.empty(0, np.int64), np.empty(0, np.int64), MARKERS).share_of_changes == 0
