"""What speaks against activating an adapter."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.records.fusion import BASE, FUSED, OnHistory, Proof, Saved
from patterns.adapters.gate import NOT_MEASURED, problem

NONE = Saved(share=0.0)


def proof(*histories: dict[str, float], **claims: Any) -> Proof:
    found = [
        OnHistory(
            owner="ab"[at],
            of_edits=True,
            commits=9,
            tokens=9,
            bits_per_byte=bits,
            saved_over_base=NONE,
            saved_over_owner=NONE,
        )
        for at, bits in enumerate(histories)
    ]
    return Proof(histories=found, mean={}, swapping=0.0, passes=bool(claims.get("passes")))


GOOD = {BASE: 2.0, "a": 1.5, "b": 1.9, FUSED: 1.6}
OTHER = {BASE: 2.0, "a": 1.9, "b": 1.5, FUSED: 1.6}


def test_better_than_the_base_everywhere_and_than_the_best_parent_on_the_mean_is_enough() -> None:
    assert problem(proof(GOOD, OTHER)) == ""


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, NOT_MEASURED),
        (proof(), NOT_MEASURED),
        (proof(GOOD, OTHER | {FUSED: 2.0}), "on b it needs 2.000 bits per byte, the untuned base 2.000"),
        (proof(GOOD, OTHER | {FUSED: 1.9}), "on the mean it needs 1.750 bits per byte, its parent a 1.700"),
        (proof(GOOD, {BASE: 2.0, FUSED: 1.0}), "not every parent was measured on every history"),
        (proof({BASE: 2.0, FUSED: 1.0}), "not every parent was measured on every history"),
        (proof(GOOD, {"a": 1.0, "b": 1.0}), "the figures of b are not complete"),
    ],
)
def test_what_is_not_better_has_a_reason(given: Proof | None, why: str) -> None:
    assert problem(given) == why


def test_what_a_report_says_of_itself_is_not_believed() -> None:
    lies = msgspec.structs.replace(
        proof(GOOD | {FUSED: 3.0}, OTHER, passes=True), mean={FUSED: 0.1, "a": 9.0, "b": 9.0}
    )
    assert problem(lies).startswith("on a it needs 3.000")
