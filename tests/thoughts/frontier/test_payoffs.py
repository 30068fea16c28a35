"""What runs brought, by arm, with the past fading."""

from __future__ import annotations

import pytest

from thoughts.frontier.payoffs import HALF_LIFE_S, PASSED_OVER, READ, Payoff, Ran, payoffs_of


def test_runs_of_an_arm_are_summed_and_fade() -> None:
    now = 10 * HALF_LIFE_S
    runs = [
        Ran("fuzz", "src/", now, 120, found=3, kept=1, read=1, dismissed=1),
        Ran("fuzz", "src/", now - HALF_LIFE_S, 60, found=2, kept=1, passed_over=1),
        Ran("fuzz", "", now, 60),
    ]
    whole, src = payoffs_of(runs, now)
    assert whole == Payoff("fuzz", "", 1, 1.0, 0.0, 0.0, 0.0)
    assert (src.area, src.runs) == ("src/", 2)
    assert src.minutes == pytest.approx(2 + 0.5)
    assert src.found == pytest.approx(3 + 1)
    assert src.useful == pytest.approx(1 + READ + 0.5)
    assert src.useless == pytest.approx((1 - READ) + 1 + 0.5 * PASSED_OVER)


def test_a_clock_that_was_set_back_makes_nothing_heavier() -> None:
    assert payoffs_of([Ran("fuzz", "", 5 * HALF_LIFE_S, 60)], 0.0)[0].minutes == 1.0
