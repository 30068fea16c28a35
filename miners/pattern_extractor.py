"""What recurs in evidence: for each option of each context type, what was seen, and how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from miners.gate.verdicts import Verdict
from stores.agent import beliefs
from stores.agent.context_types import CONTEXT_TYPES, ContextType, Size
from stores.agent.evidence_rows import EvidenceRows
from stores.agent.records import ANY
from stores.agent.summary import Values, collect, figures

MIN_EVIDENCE = {"commit": 20, "repository": 3}
"""Pieces of evidence below which an option gets no entry."""
MIN_REPOSITORIES = 2
"""Repositories of one archetype below which it gets no entry."""


@dataclass(frozen=True)
class Recurrence:
    """What recurs for one option, over all repositories or over those of one archetype."""

    context: ContextType
    option: str
    archetype: str
    values: Mapping[str, Values]
    """By target, of those that passed their gate."""
    quantiles: dict[str, dict[str, float]]
    shares: dict[str, dict[str, float]]
    gate: dict[str, Any]
    sample_count: int
    repositories: list[str]
    """Keys of those that the evidence comes from."""

    def prior(self, target: str, wanted: Sequence[float | str]) -> tuple[float, float]:
        """Beta(a, b) of seeing one of the wanted values."""
        return beliefs.prior_of(self.values[target].successes(wanted))

    def within_cap(self, target: str) -> tuple[float, float]:
        """Beta(a, b) of staying within the 90 % quantile of a size."""
        cap = self.quantiles[target]["p90"]
        return self.prior(target, [value for value in self.values[target].total if float(value) <= cap])


def extract(
    evidence: EvidenceRows, connection: Connection, store: str, verdicts: Mapping[str, Mapping[str, Verdict]]
) -> Iterator[Recurrence]:
    """What recurs in the evidence of one store, of the targets that passed their gate.

    `verdicts` are by context type and target.
    """
    for context in CONTEXT_TYPES.values():
        passed = {name: one for name, one in verdicts.get(context.name, {}).items() if one.passed}
        if context.store != store or not passed:
            continue
        gates = {name: msgspec.to_builtins(one.figures()) for name, one in passed.items()}
        for option, archetype in evidence.options(connection, context.name):
            gate = {name: one for name, one in gates.items() if archetype == ANY or passed[name].by_archetype}
            if not gate:
                continue
            seen = evidence.observations(connection, context.name, option, archetype)
            found = {name: values for name, values in collect(context, seen).items() if name in gate}
            most = max(found.values(), key=lambda values: values.total.total())
            count, repositories = most.total.total(), sorted(most.by_repository)
            if count < MIN_EVIDENCE[context.unit] or (archetype != ANY and len(repositories) < MIN_REPOSITORIES):
                continue
            quantiles, shares = figures(
                context, found, [name for name, values in found.items() if values.by_repository]
            )
            yield Recurrence(context, option, archetype, found, quantiles, shares, gate, count, repositories)


def sizes(found: Recurrence) -> list[str]:
    """Its targets that are sizes."""
    return [name for name in found.quantiles if isinstance(found.context.targets[name], Size)]
