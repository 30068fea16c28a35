"""What recurs, as entries that agents can query: v-vectors, patterns and failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from miners.pattern_extractor import Recurrence, sizes
from stores.agent.context_types import Size
from stores.agent.records import Entry, Failure, Pattern, RepositoryState, VVector

MISMATCH_SHARE = 0.05
"""A kind of fix that resolves a smaller share of the errors of a type is the wrong one to try."""
RARE_SHARE = 0.02
"""A rule that matches so few messages of fixes cannot be learned from history."""


def entries_of(found: Recurrence, states: Mapping[str, RepositoryState]) -> Iterator[Entry]:
    """The entries that follow from it; `states` are the repositories by key."""
    origin = "github" if any(states[key].github_id for key in found.repositories) else "history"
    common: dict[str, Any] = {
        "archetype": found.archetype,
        "sample_count": found.sample_count,
        "source": f"{origin}:{found.context.name}",
        "source_repos": sorted(states[key].name for key in found.repositories),
        "quantiles": found.quantiles,
        "shares": found.shares,
        "gate": found.gate,
        "evidence_of": (found.context.name, found.option),
    }
    yield from _TRANSFORMERS.get(found.context.name, _v_vector)(found, common)


def _v_vector(found: Recurrence, common: dict[str, Any]) -> Iterator[Entry]:
    value: dict[str, Any] = {}
    for target in sizes(found):
        kind = found.context.targets[target]
        assert isinstance(kind, Size)
        value[kind.cap] = int(found.quantiles[target]["p90"])
    for target, shares in found.shares.items():
        value[target] = shares.get("yes", 0.0) if set(shares) <= {"yes", "no"} else next(iter(shares))
    yield VVector(
        **common, context_type=found.context.name, option=found.option, evolved_value=value, prior=_prior(found)
    )


def _prior(found: Recurrence) -> tuple[float, float]:
    """Of sizes: that the strictest cap suffices. Of a choice: that the most frequent one is right."""
    caps = [found.within_cap(target) for target in sizes(found)]
    if caps:
        return min(caps, key=lambda prior: prior[0] / sum(prior))
    target, shares = next(iter(found.shares.items()))
    return found.prior(target, [next(iter(shares))])


def _layout(found: Recurrence, common: dict[str, Any]) -> Iterator[Entry]:
    language, _, aspect = found.option.partition("/")
    choice = next(iter(found.shares["choice"]))
    pattern: dict[str, Any] = {"choice": choice, "language": language}
    if aspect in ("tests", "source"):
        pattern["file_pattern"] = choice
    yield _pattern(found, common, step=aspect, key=language, pattern=pattern)


def _remedy(found: Recurrence, common: dict[str, Any]) -> Iterator[Entry]:
    pattern = {"error": found.option, "remedy": next(iter(found.shares["kind"]))}
    yield _pattern(found, common, step=found.option, key="remedy", pattern=pattern)


def _pattern(found: Recurrence, common: dict[str, Any], *, step: str, key: str, pattern: dict[str, Any]) -> Pattern:
    target, shares = next(iter(found.shares.items()))
    share = next(iter(shares.values()))
    prior = found.prior(target, [next(iter(shares))])
    return Pattern(
        **common,
        agent=found.context.agent,
        step=step,
        key=key,
        pattern=pattern,
        quality_score=round(10 * share, 2),
        prior=prior,
    )


def _reverted(found: Recurrence, common: dict[str, Any]) -> Iterator[Entry]:
    count = found.values["reverted"].total["yes"]
    what = f"{found.sample_count:,} {found.option} changes in {len(found.repositories)} repositories"
    share = found.shares["reverted"].get("yes", 0.0)
    yield Failure(
        **common,
        agent=found.context.agent,
        step=found.option,
        error_type="reverted",
        description=f"{count:,} of {what} were reverted later ({share:.1%}).",
        occurrence_count=count,
        prior=found.prior("reverted", ["yes"]),
    )


def _mismatch(found: Recurrence, common: dict[str, Any]) -> Iterator[Entry]:
    total = found.values["kind"].total
    best = next(iter(found.shares["kind"]))
    for kind in found.context.targets["kind"].words:  # type: ignore[union-attr]
        if total[kind] >= MISMATCH_SHARE * found.sample_count:
            continue
        others = found.sample_count - total[kind]
        yield Failure(
            **common,
            agent=found.context.agent,
            step=kind,
            error_type="strategy_mismatch",
            key=found.option,
            description=f"A {kind} rarely resolves {found.option}: {total[kind]} of {found.sample_count} fixes"
            f" whose message names it. The most frequent remedy is a {best}.",
            occurrence_count=others,
            prior=found.prior("kind", [value for value in total if value != kind]),
        )


def _rule(found: Recurrence, common: dict[str, Any]) -> Iterator[Entry]:
    hits, share = found.values["hit"].total["yes"], found.shares["hit"].get("yes", 0.0)
    if share > RARE_SHARE:
        return
    yield Failure(
        **common,
        agent=found.context.agent,
        step=found.option,
        error_type="rare_in_history",
        description=f"The messages of {hits} of {found.sample_count:,} fixes match {found.option}: too few to learn"
        " from history what such fixes look like.",
        occurrence_count=found.sample_count - hits,
        prior=found.prior("hit", ["no"]),
    )


_TRANSFORMERS: dict[str, Callable[[Recurrence, dict[str, Any]], Iterator[Entry]]] = {
    "project_layout": _layout,
    "error_remedy": _remedy,
    "reverted": _reverted,
    "strategy_mismatch": _mismatch,
    "message_rule": _rule,
}
