"""PageRank, against what it is on paper."""

from __future__ import annotations

import pytest

from thoughts.mapping.ranks import DAMPING, ranks


def test_shares_are_those_of_the_paper() -> None:
    assert DAMPING == 0.85
    found = ranks(["a", "b"], [("a", "b"), ("elsewhere", "a")])
    assert found == pytest.approx({"a": 1 / 2.85, "b": 1.85 / 2.85}, abs=1e-3)  # whoever ends at b begins anywhere


def test_what_the_central_rests_on_is_central() -> None:
    edges = [*((f"user_{number}", "hub") for number in range(5)), ("hub", "deep"), ("user_0", "shallow")]
    found = ranks([*(f"user_{number}" for number in range(5)), "hub", "deep", "shallow"], edges)
    assert found["deep"] > 3 * found["shallow"] > found["user_1"]
    assert sum(found.values()) == pytest.approx(1)
    assert ranks([], edges) == {}
