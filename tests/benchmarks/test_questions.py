"""Questions with known places: the file is whole, and what counts as right."""

from __future__ import annotations

import json

import pytest
from builders import PROJECT

from benchmarks.questions import Outcome, is_right, row_of, span_of

ROWS = [json.loads(line) for line in (PROJECT / "benchmarks" / "questions.jsonl").read_text().splitlines()]


def test_the_questions_are_enough_and_each_has_a_place() -> None:
    assert len({row["question"] for row in ROWS}) == len(ROWS) >= 40
    assert len({row["repository"] for row in ROWS}) == 2
    for row in ROWS:
        assert len(row["commit"]) == 40
        assert row["places"]
        assert all(1 <= span_of(place)[1] <= span_of(place)[2] for place in row["places"])


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (("a.py", 10, 19), True),
        (("a.py", 12, 12), True),
        (("a.py", 1, 60), True),
        (("a.py", 1, 200), False),
        (("a.py", 20, 30), False),
        (("b.py", 10, 19), False),
    ],
)
def test_a_place_is_right_within_the_lines_or_where_it_shares_enough(
    shown: tuple[str, int, int], *, expected: bool
) -> None:
    assert is_right(shown, span_of("a.py:10-19")) is expected


def test_a_row_counts_ranks() -> None:
    outcomes = [Outcome("q", rank, rank != 0, 0.5, []) for rank in (1, 2, 0, 0)]
    row = row_of("a/b", outcomes)
    assert row.startswith("| a/b | 4 | 25% | 50% [")
    assert row.endswith("] | 0.38 | 2 | 0.50 |")
