"""Figures of evidence: quantiles of sizes, shares of choices. Anyone can make them again from the rows.

A quantile is the smallest value that at least this share of the evidence does not exceed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from stores.agent.context_types import ContextType, Size
from stores.agent.records import Outcome

QUANTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9}


@dataclass
class Values:
    """What was seen of one target: each value with its number of times, by repository."""

    by_repository: dict[str, Counter[int | float | str]] = field(default_factory=dict)

    def add(self, repository: str, value: float | str) -> None:
        """One piece of evidence more."""
        self.by_repository.setdefault(repository, Counter())[value] += 1

    @property
    def total(self) -> Counter[int | float | str]:
        """All repositories together."""
        found: Counter[int | float | str] = Counter()
        for counts in self.by_repository.values():
            found.update(counts)
        return found

    def successes(self, wanted: Iterable[float | str]) -> list[tuple[int, int]]:
        """(how often a wanted value was seen, how often any) of each repository, in the order of their keys."""
        chosen = set(wanted)
        return [
            (sum(number for value, number in counts.items() if value in chosen), counts.total())
            for _, counts in sorted(self.by_repository.items())
        ]


def collect(context: ContextType, rows: Iterable[tuple[str, Outcome]]) -> dict[str, Values]:
    """The values of each target from (repository, outcome) rows; an outcome may lack a target."""
    found = {target: Values() for target in context.targets}
    for repository, outcome in rows:
        for target, values in found.items():
            if target in outcome:
                values.add(repository, outcome[target])
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
    """Share of each choice, most frequent first."""
    counts = values.total
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return {str(word): round(number / counts.total(), 6) for word, number in ranked}


def figures(
    context: ContextType, found: dict[str, Values], targets: Iterable[str]
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """(quantiles, shares) of these targets, as entries hold them."""
    quantiles, shares = {}, {}
    for target in targets:
        if found[target].by_repository:
            if isinstance(context.targets[target], Size):
                quantiles[target] = quantiles_of(found[target])
            else:
                shares[target] = shares_of(found[target])
    return quantiles, shares
