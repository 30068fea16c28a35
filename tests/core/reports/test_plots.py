"""Figures as SVG."""

from __future__ import annotations

import re

from core.reports import plots


def test_intervals_are_green_above_zero_red_below_and_grey_across_it() -> None:
    rows = {"gain": (0.2, 0.1, 0.3), "loss": (-0.2, -0.3, -0.1), "either": (0.0, -0.1, 0.1)}
    picture = plots.intervals(rows, "saved")
    drawn = re.findall(r"stroke: (#[0-9a-f]{6}); stroke-width: 2", picture)
    assert drawn == [plots.GREY, plots.RED, plots.GREEN]  # from the bottom up
