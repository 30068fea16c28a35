"""An estimate in words: what an hour and a night bring, and what needs no training."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.estimating.curve import Curve, Point, Range
from core.estimating.rehearsal import Speed
from core.estimating.sample import Bits
from core.estimating.table import Estimate, Outlook, outlooks

NIGHT = Outlook("a night (8 hours)", 2_880_000, False, Range(0.7, 0.6, 0.8))
FOUND = Estimate(
    untuned=Bits(1.2, 0.5),
    in_context=1.1,
    short=Bits(1.0, 0.45),
    short_tokens=3072,
    outlooks=[Outlook("an hour", 360_000, False, Range(0.8, 0.7, 0.9)), NIGHT],
    nats_per_bit=2.0,
)


def test_the_table_has_a_row_for_each_way() -> None:
    lines = FOUND.table()
    assert [line.split("  ")[0] for line in lines[1:]] == [
        "untuned",
        "untuned, twice the context",
        "after a short training",
        "an hour",
        "a night (8 hours)",
    ]
    assert lines[1].split() == ["untuned", "0", "1.200", "2.400", "0.500"]
    assert lines[3].split()[-4:] == ["3,072", "1.000", "2.000", "0.450"]
    assert lines[4].split()[2:] == ["360,000", "0.800", "0.700", "to", "0.900", "1.600"]


@pytest.mark.parametrize(
    ("copying", "verdict"),
    [
        (0.5, "copying from the history brings 0.500, which is better than both."),
        (0.7, "copying from the history brings 0.700; whether a night is better cannot be told yet."),
        (0.9, "copying from the history brings 0.900; a night is better than that."),
        (1.15, "twice the context brings 1.100; a night is better than that."),
    ],
)
def test_a_night_is_set_beside_what_needs_no_training(copying: float, verdict: str) -> None:
    text = replace(FOUND, untuned=Bits(1.2, copying)).sentences()
    assert text.startswith(
        "An hour would bring 0.800 bits a byte (0.700 to 0.900) and a night (8 hours) would bring 0.700 bits a byte "
        "(0.600 to 0.800); the untuned model needs 1.200. Without training, "
    )
    assert verdict in text
    assert text.endswith(f"With copying beside it, the short training led from {copying:.3f} to 0.450.")


def test_a_loss_that_does_not_fall_is_said() -> None:
    text = replace(FOUND, outlooks=[], short=Bits(1.3, None)).sentences()
    assert text.startswith("The short training did not lower the loss (1.200 bits a byte before it, 1.300 after it)")
    assert "learning_rate" in text


def test_without_anything_beside_it_the_estimate_stands_alone() -> None:
    text = replace(FOUND, untuned=Bits(1.2, None), in_context=None, short=Bits(1.0, None)).sentences()
    assert text.endswith("the untuned model needs 1.200.")


def test_time_counts_as_tokens_and_ends_with_the_split() -> None:
    curve = Curve.through(2.0, [Point(1000, 1.8), Point(2000, 1.7), Point(4000, 1.6)], 100)
    assert curve
    hour, night = outlooks(curve, Speed(100.0, 90.0, 120.0), available=1_000_000)
    assert (hour.tokens, hour.all_read) == (360_000, False)
    assert (night.tokens, night.all_read) == (1_000_000, True)
    assert hour.bits == Range(curve.at(360_000).middle, curve.at(432_000).low, curve.at(324_000).high)
    assert night.bits == curve.at(1_000_000)
    assert (
        "read to its end within a night (8 hours), and no more was counted on"
        in replace(FOUND, outlooks=[hour, night]).sentences()
    )
