"""Figures of evidence: quantiles of sizes and shares of choices, which can be recomputed from the rows at any time.

A quantile is the smallest value that at least this share of the evidence does not exceed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from stores.agent.context_types import ContextType, Size
from stores.agent.records import Observation

QUANTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9}


@dataclass
class Values:
    """The observed values of one target, with how often each occurred, by repository."""

    by_repository: dict[str, Counter[int | float | str]] = field(default_factory=dict)

    def add(self, repository: str, value: float | str) -> None:
        """Count one more observation."""
        self.by_repository.setdefault(repository, Counter())[value] += 1

    @property
    def total(self) -> Counter[int | float | str]:
        """The counts of all repositories together."""
        found: Counter[int | float | str] = Counter()
        for counts in self.by_repository.values():
            found.update(counts)
        return found

    def successes(self, wanted: Iterable[float | str]) -> list[tuple[int, int]]:
        """(observations of a wanted value, all observations) of each repository, ordered by key."""
        chosen = set(wanted)
        return [
            (sum(number for value, number in counts.items() if value in chosen), counts.total())
            for _, counts in sorted(self.by_repository.items())
        ]


def collect(context: ContextType, rows: Iterable[tuple[str, Observation]]) -> dict[str, Values]:
    """The values of each target from (repository, observation) rows; an observation may lack a target."""
    found = {target: Values() for target in context.targets}
    for repository, observation in rows:
        for target, values in found.items():
            if target in observation:
                values.add(repository, observation[target])
    return found


def quantiles_of(values: Values) -> dict[str, float]:
    """{"p50", "p75", "p90", "n", "n_repos"} of a size."""
    counts = values.total
    total, found = counts.total(), {}
    ordered = sorted((float(value), number) for value, number in counts.items())
    for name, share in QUANTILES.items():
        seen = 0
        for value, number in ordered:
            seen += number
            if seen >= share * total:
                found[name] = value
                break
    return {**found, "n": total, "n_repos": len(values.by_repository)}


def shares_of(values: Values) -> dict[str, float]:
    """The share of each choice, most frequent first."""
    counts = values.total
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return {str(word): round(number / counts.total(), 6) for word, number in ranked}


def figures(
    context: ContextType, found: dict[str, Values], targets: Iterable[str]
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """(quantiles, shares) of these targets, in the form that entries have."""
    quantiles, shares = {}, {}
    for target in targets:
        if found[target].by_repository:
            if isinstance(context.targets[target], Size):
                quantiles[target] = quantiles_of(found[target])
            else:
                shares[target] = shares_of(found[target])
    return quantiles, shares
