"""Stage 4: splits that follow time and share nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from dataset_builder import CommitTokens, DatasetBuilderConfig, check_no_overlap, split_by_commit


def commits(sizes: list[int]) -> list[CommitTokens]:
    return [CommitTokens(str(n), f"2024-01-{n + 1:02}", 1, size) for n, size in enumerate(sizes)]


@given(st.lists(st.integers(1, 1000), min_size=3, max_size=60))
def test_splits_are_whole_disjoint_and_in_order(sizes: list[int]) -> None:
    made = commits(sizes)
    splits = split_by_commit(made, 0.7, 0.15)
    assert [split.name for split in splits] == ["train", "val", "test"]
    assert [commit for split in splits for commit in split.commits] == made
    assert all(split.commits for split in splits)
    check_no_overlap(splits)


def test_shares_are_by_tokens() -> None:
    splits = split_by_commit(commits([10] * 100), 0.7, 0.15)
    assert [split.tokens for split in splits] == [700, 150, 150]


def test_planted_overlap_is_caught() -> None:
    splits = split_by_commit(commits([10] * 10), 0.7, 0.15)
    splits[2].commits = [*splits[2].commits, splits[0].commits[0]]
    with pytest.raises(AssertionError, match="overlaps"):
        check_no_overlap(splits)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_short_a_history_is_explained(count: int) -> None:
    with pytest.raises(UserError, match=f"too little history: commits with text {count},") as caught:
        split_by_commit(commits([5] * count), 0.7, 0.15)
    assert "--unshallow" in caught.value.hint


def test_ratios_must_leave_a_test_split() -> None:
    with pytest.raises(ValueError, match="leave a test split"):
        DatasetBuilderConfig(train_ratio=0.8, val_ratio=0.2)
