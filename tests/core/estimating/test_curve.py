"""Curves through a few points: near the truth where the points say much, wide where they do not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.estimating.curve import GAIN_NOISE, LOSS_NOISE, Curve, Point

TOKENS = (1000.0, 2000.0, 4000.0)
SHAPES = st.tuples(
    st.floats(0.3, 8.0),  # untuned loss
    st.floats(0.25, 0.8),  # floor, as a share of it
    st.floats(0.1, 1.5),  # power
    st.floats(0.1, 10.0),  # scale, as a share of the longest training
)


def loss(shape: tuple[float, float, float, float], tokens: float) -> float:
    """The loss on a made-up curve."""
    untuned, floor, power, scale = shape
    return float(untuned * (floor + (1 - floor) * (1 + tokens / (scale * TOKENS[-1])) ** -power))


def through(shape: tuple[float, float, float, float], step_tokens: float) -> Curve:
    """Curves through the points of a made-up one."""
    found = Curve.through(shape[0], [Point(one, loss(shape, one)) for one in TOKENS], step_tokens)
    assert found
    return found


@settings(max_examples=10)
@given(SHAPES)
def test_points_without_noise_lead_near_the_curve(shape: tuple[float, float, float, float]) -> None:
    curve = through(shape, step_tokens=0.01)  # so many steps that there is next to no noise
    gained = shape[0] - loss(shape, 16_000)
    assert curve.at(16_000).middle == pytest.approx(loss(shape, 16_000), abs=0.2 * gained)
    assert curve.at(4000).middle == pytest.approx(loss(shape, 4000), abs=0.03 * gained)


@settings(max_examples=10)
@given(SHAPES)
def test_the_interval_does_not_narrow_with_the_distance(shape: tuple[float, float, float, float]) -> None:
    curve = through(shape, step_tokens=100)
    found = [curve.at(tokens) for tokens in (8000, 32_000, 128_000, 1_024_000)]
    assert all(0 <= one.low <= one.middle <= one.high for one in found)
    assert all(further.high - further.low > 0.95 * (near.high - near.low) for near, further in pairwise(found))
    assert found[-1].middle <= found[0].middle


@pytest.mark.parametrize("power", [0.2, 0.5, 1.0])
def test_the_interval_of_a_falling_curve_widens(power: float) -> None:
    curve = through((2.0, 0.4, power, 1.0), step_tokens=100)
    widths = [found.high - found.low for found in map(curve.at, (4000, 16_000, 64_000))]
    assert widths[2] > 1.2 * widths[1] > 1.4 * widths[0]


def test_the_interval_holds_the_results_of_noisy_trainings() -> None:
    random, held = np.random.default_rng(5), 0
    for _ in range(100):
        shape = (random.uniform(1, 4), random.uniform(0.25, 0.9), random.uniform(0.1, 1.5), 10 ** random.uniform(-1, 1))

        def result(tokens: float, shape: tuple[float, float, float, float] = shape) -> float:
            exact = loss(shape, tokens)
            noise = np.hypot(GAIN_NOISE * (shape[0] - exact), LOSS_NOISE * shape[0]) / np.sqrt(tokens / 250)
            return exact + float(random.normal()) * float(noise)

        curve = Curve.through(shape[0], [Point(one, result(one)) for one in TOKENS], 250)
        if curve is None:  # noise hid the gain
            held += 1
            continue
        said, found = curve.at(4 * TOKENS[-1]), result(4 * TOKENS[-1])
        held += said.low <= found <= said.high
    assert 90 <= held < 100  # nor is it so wide that it says nothing


@settings(max_examples=10)
@given(SHAPES, st.floats(0.01, 100), st.floats(0.01, 100))
def test_units_do_not_matter(shape: tuple[float, float, float, float], bits: float, tokens: float) -> None:
    points = [Point(one * tokens, loss(shape, one) * bits) for one in TOKENS]
    scaled = Curve.through(shape[0] * bits, points, 500 * tokens)
    assert scaled
    found, expected = scaled.at(16_000 * tokens), through(shape, 500).at(16_000)
    assert (found.low, found.middle, found.high) == pytest.approx(
        (expected.low * bits, expected.middle * bits, expected.high * bits), rel=0.02
    )


@pytest.mark.parametrize("last", [2.0, 2.5])
def test_there_is_no_curve_where_the_loss_does_not_fall(last: float) -> None:
    assert Curve.through(2.0, [Point(1000, 1.9), Point(2000, last)], 100) is None


def test_more_steps_make_an_estimate_surer() -> None:
    shape = (2.0, 0.5, 0.5, 1.0)
    few, many = (through(shape, step_tokens).at(16_000) for step_tokens in (500, 5))
    assert many.high - many.low < 0.5 * (few.high - few.low)
