"""How much each adapter counts: by numbers that are given, or by how often its answers were useful."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import UserError

LEAST_TRIALS = 20
"""Reported outcomes, of all adapters together, below which success rates decide nothing."""


@dataclass(frozen=True)
class SuccessRate:
    """How often an adapter's answers were useful; `trials` None where only the rate is known."""

    rate: float
    trials: int | None = None

    @classmethod
    def read(cls, text: str) -> SuccessRate:
        """`17/20` (useful of reported), which gives the mean of a Beta posterior, or a rate from 0 to 1."""
        useful, slash, reported = text.partition("/")
        try:
            if slash:
                good, trials = int(useful), int(reported)
                if 0 <= good <= trials:
                    return cls((good + 1) / (trials + 2), trials)
            elif 0 <= float(text) <= 1:
                return cls(float(text))
        except ValueError:
            pass
        raise UserError(f"'{text}' is no success rate", "give useful/reported, as 17/20, or a rate from 0 to 1")


@dataclass(frozen=True)
class Weighting:
    """Weights that add up to 1, and a sentence on where they come from."""

    weights: list[float]
    why: str


def equal(count: int) -> Weighting:
    """The same for all."""
    return Weighting([1 / count] * count, "equal weights")


def given(weights: Sequence[float], count: int) -> Weighting:
    """Weights as they were given. Raises UserError where they are none."""
    _check_count("weights", len(weights), count)
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not sum(weights) > 0:
        raise UserError("weights must be numbers from 0 up, and not all 0", "see --weights")
    return Weighting([weight / sum(weights) for weight in weights], "weights as given")


def by_success(rates: Sequence[SuccessRate], count: int) -> Weighting:
    """In proportion to success rates; equal where too few outcomes are behind them."""
    _check_count("success rates", len(rates), count)
    known = [rate.trials for rate in rates if rate.trials is not None]
    if len(known) == len(rates) and sum(known) < LEAST_TRIALS:
        return Weighting(
            equal(count).weights,
            f"equal weights: {sum(known)} reported outcomes are too few to tell adapters apart ({LEAST_TRIALS} needed)",
        )
    total = sum(rate.rate for rate in rates)
    if not total > 0:
        raise UserError("all success rates are 0", "leave them out for equal weights")
    shown = ", ".join(f"{one.rate:.2f}" + (f" (n {one.trials})" if one.trials is not None else "") for one in rates)
    unknown = "" if len(known) == len(rates) else "; how many outcomes are behind them was not given"
    return Weighting([rate.rate / total for rate in rates], f"weights by success rates {shown}{unknown}")


def _check_count(what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise UserError(f"{found} {what} for {wanted} adapters", "give one for each, in the same order")
