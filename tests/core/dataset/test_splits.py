"""Splits are whole commits in order, stay where they were, and start behind what the vocabulary has seen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.dataset.history import CommitTokens
from core.dataset.splits import Boundaries, learned_commits, split
from core.errors import UserError

RULE: dict[str, Any] = {
    "train_ratio": 0.7, "val_ratio": 0.15, "interleave": "date", "train_until": "", "val_until": "",
}  # fmt: skip


def commits(sizes: list[int], repository: str = "") -> list[CommitTokens]:
    return [
        CommitTokens(f"{repository}{n:07x}", repository, f"2024-01-{n + 1:02}T10:00:00Z", n, n + 1, size)
        for n, size in enumerate(sizes)
    ]


def counts(made: list[CommitTokens], *, rule: dict[str, Any] = RULE, **options: Any) -> list[int]:
    options.setdefault("learned_until", {})
    return [len(one.commits) for one in split(made, rule, **options)[0]]


@given(st.lists(st.integers(1, 1000), min_size=3, max_size=60))
def test_splits_are_whole_disjoint_and_in_order(sizes: list[int]) -> None:
    made = commits(sizes)
    splits, _ = split(made, RULE, {})
    assert [one.name for one in splits] == ["train", "val", "test"]
    assert [commit for one in splits for commit in one.commits] == made
    assert all(one.commits for one in splits)


def test_shares_are_by_tokens() -> None:
    assert counts(commits([10] * 100)) == [70, 15, 15]
    assert counts(commits([100, *[1] * 50])) == [6, 23, 22]


def test_training_reaches_to_what_the_vocabulary_has_seen() -> None:
    made = commits([100, *[1] * 20])
    assert counts(made, learned_until={"": made[4].hash}) == [5, 1, 15]
    with pytest.raises(UserError, match="learned from commits up to"):
        counts(made, learned_until={"": made[20].hash})


def test_what_was_learned_from_is_found_again_or_missed() -> None:
    made = commits([10, 10, 0, 10], "a") + commits([0, 10], "b")
    assert learned_commits(made, {"": "a0000001"}) == {"": "a0000001"}
    assert learned_commits(made, {"a": "a0000002", "b": "b0000000"}) == {"a": "a0000001"}
    with pytest.raises(UserError, match="is not in this history"):
        learned_commits(made, {"": "gone"})


def test_new_commits_are_for_the_test() -> None:
    _, boundaries = split(commits([10] * 20), RULE, {})
    grown = commits([10] * 40)
    assert counts(grown) == [28, 6, 6]
    assert counts(grown, kept=boundaries) == [14, 3, 23]
    stats = {"boundaries": boundaries.as_dict()}
    again = Boundaries.read(stats, RULE)
    assert counts(grown, kept=again) == [14, 3, 23]
    assert Boundaries.read(stats, {**RULE, "train_ratio": 0.6}) is None
    assert Boundaries.read(None, RULE) is None


def test_a_rewritten_history_is_split_again() -> None:
    lost = Boundaries(RULE, {"": "gone"}, {"": "gone too"})
    assert counts(commits([10] * 20), kept=lost) == [14, 3, 3]


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ({"train_until": "0000004"}, [5, 12, 3]),
        ({"train_until": "2024-01-10", "val_until": "2024-01-12"}, [10, 2, 8]),
        ({"train_until": "2023"}, [1, 16, 3]),
        ({"train_until": "2025"}, [18, 1, 1]),
    ],
)
def test_boundaries_by_commit_and_by_date(until: dict[str, str], expected: list[int]) -> None:
    assert counts(commits([10] * 20), rule={**RULE, **until}) == expected


@pytest.mark.parametrize("until", ["deadbeef", "2024-99-99", "2024-01-05T12:00:00+14:00", "2024-1-5", "soon"])
def test_an_unknown_boundary_is_explained(until: str) -> None:
    with pytest.raises(UserError, match=r"is neither a commit with text nor a date"):
        counts(commits([10] * 20), rule={**RULE, "train_until": until})


def test_boundaries_that_were_asked_for_are_not_moved() -> None:
    made = commits([10] * 20)
    with pytest.raises(UserError, match="does not come after the training split"):
        counts(made, rule={**RULE, "train_until": "2024-01-10", "val_until": "2024-01-05"})
    with pytest.raises(UserError, match="which are not for training"):
        counts(made, rule={**RULE, "train_until": "2024-01-05"}, learned_until={"": made[9].hash})


def test_a_boundary_by_date_is_after_its_last_commit_in_a_history_that_jumps() -> None:
    made = commits([10] * 20)
    made[2].timestamp = "2031-01-01T00:00:00Z"
    assert counts(made, rule={**RULE, "train_until": "2024-01-10"})[0] == 10


def test_each_repository_is_split_by_itself_where_they_follow_one_another() -> None:
    made = commits([10] * 10, "a") + commits([10] * 20, "b")
    rule = {**RULE, "interleave": "repository"}
    splits, boundaries = split(made, rule, {"a": "a0000000", "b": "b0000000"})
    assert [[commit.repository for commit in one.commits].count("a") for one in splits] == [7, 2, 1]
    assert [[commit.repository for commit in one.commits].count("b") for one in splits] == [14, 3, 3]
    assert boundaries.train == {"a": "a0000006", "b": "b000000d"}
    with pytest.raises(UserError, match="too little history of c"):
        split(commits([10] * 10, "a") + commits([1, 1], "c"), rule, {})


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_short_a_history_is_explained(count: int) -> None:
    with pytest.raises(UserError, match=f"too little history: commits with text {count},"):
        split(commits([5] * count), RULE, {})
