"""How certain a share is: Beta posteriors, whose seeded part an agent's own outcomes soon outweigh."""

from __future__ import annotations

from collections.abc import Sequence

BOUND = 0.05
"""The probability that a share is below its lower bound."""
EMA_ALPHA = 0.1
"""How far the moving average moves towards each outcome."""
MAX_PRIOR_WEIGHT = 20.0
"""The most outcomes that seeded evidence counts for. Uncapped, seeds did worse than none after fifty own outcomes."""
WEIGHT_PER_REPOSITORY = 5.0
"""The most that one repository counts for: its commits are alike, and what holds in it need not hold elsewhere."""


def lower_bound(a: float, b: float) -> float:
    """The value that a share with posterior Beta(a, b) exceeds with 95 %."""
    from scipy.special import betaincinv

    return float(betaincinv(a, b, BOUND))


def prior_of(by_repository: Sequence[tuple[int, int]], cap: float = MAX_PRIOR_WEIGHT) -> tuple[float, float]:
    """Beta(a, b) of a share from (successes, trials) of each repository; Beta(1, 1) without trials."""
    trials = sum(n for _, n in by_repository)
    if not trials:
        return 1.0, 1.0
    share = sum(k for k, _ in by_repository) / trials
    weight = min(cap, effective_size(by_repository))
    return 1 + weight * share, 1 + weight * (1 - share)


def effective_size(by_repository: Sequence[tuple[int, int]]) -> float:
    """How many independent trials would be as informative: fewer than there are if repositories differ.

    The variance of the share is estimated from the differences between repositories (the ratio estimator of
    cluster sampling); the result is at most WEIGHT_PER_REPOSITORY for each of them.
    """
    groups = [(k, n) for k, n in by_repository if n]
    trials = sum(n for _, n in groups)
    share = sum(k for k, _ in groups) / trials if trials else 0.0
    most = min(float(trials), WEIGHT_PER_REPOSITORY * len(groups))
    if len(groups) < 2:
        return most
    squares = sum((k - share * n) ** 2 for k, n in groups)
    variance = len(groups) / (len(groups) - 1) * squares / trials**2
    return min(most, max(1.0, share * (1 - share) / variance)) if variance else most


def next_ema(ema: float, success: bool) -> float:
    """The exponential moving average after one more outcome."""
    return ema + EMA_ALPHA * (float(success) - ema)
