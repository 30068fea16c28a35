"""What recurs, in the form in which agents ask for it: the three kinds of entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from miners.pattern_extractor import Found, sizes
from stores.agent.context_types import Size
from stores.agent.records import Entry, Failure, Pattern, RepositoryState, VVector

MISMATCH_SHARE = 0.05
"""A kind of fix that ends fewer errors of a type than this is the wrong one to try."""
RARE_SHARE = 0.02
"""What so few fixes say of themselves cannot be learnt from history."""


def entries_of(found: Found, states: Mapping[str, RepositoryState]) -> Iterator[Entry]:
    """The entries that follow; `states` are the repositories by key."""
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


def _v_vector(found: Found, common: dict[str, Any]) -> Iterator[Entry]:
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


def _prior(found: Found) -> tuple[float, float]:
    """Of a size: that the cap suffices, of the strictest one. Of a choice: that the first one it is."""
    caps = [found.within_cap(target) for target in sizes(found)]
    if caps:
        return min(caps, key=lambda prior: prior[0] / sum(prior))
    target, shares = next(iter(found.shares.items()))
    return found.prior(target, [next(iter(shares))])


def _layout(found: Found, common: dict[str, Any]) -> Iterator[Entry]:
    language, _, aspect = found.option.partition("/")
    choice = next(iter(found.shares["choice"]))
    pattern: dict[str, Any] = {"choice": choice, "language": language}
    if aspect in ("tests", "source"):
        pattern["file_pattern"] = choice
    yield _pattern(found, common, step=aspect, key=language, pattern=pattern)


def _remedy(found: Found, common: dict[str, Any]) -> Iterator[Entry]:
    pattern = {"error": found.option, "remedy": next(iter(found.shares["kind"]))}
    yield _pattern(found, common, step=found.option, key="remedy", pattern=pattern)


def _companion(found: Found, common: dict[str, Any]) -> Iterator[Entry]:
    pattern = {"change": found.option, "changes a test too": next(iter(found.shares["with_tests"]))}
    yield _pattern(found, common, step=found.option, key="with_tests", pattern=pattern)


def _pattern(found: Found, common: dict[str, Any], *, step: str, key: str, pattern: dict[str, Any]) -> Pattern:
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


def _reverted(found: Found, common: dict[str, Any]) -> Iterator[Entry]:
    count = found.values["reverted"].total["yes"]
    what = f"{found.sample_count:,} {found.option} changes in {len(found.repositories)} repositories"
    share = found.shares["reverted"].get("yes", 0.0)
    yield Failure(
        **common,
        agent=found.context.agent,
        step=found.option,
        error_type="reverted",
        description=f"{count:,} of {what} were taken back ({share:.1%}).",
        occurrence_count=count,
        prior=found.prior("reverted", ["yes"]),
    )


def _mismatch(found: Found, common: dict[str, Any]) -> Iterator[Entry]:
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
            description=f"{found.option} is rarely ended by a {kind}: {total[kind]} of {found.sample_count} fixes"
            f" that named it. The most frequent remedy is a {best}.",
            occurrence_count=others,
            prior=found.prior("kind", [value for value in total if value != kind]),
        )


def _rule(found: Found, common: dict[str, Any]) -> Iterator[Entry]:
    hits, share = found.values["hit"].total["yes"], found.shares["hit"].get("yes", 0.0)
    if share > RARE_SHARE:
        return
    yield Failure(
        **common,
        agent=found.context.agent,
        step=found.option,
        error_type="rare_in_history",
        description=f"{hits} of {found.sample_count:,} fixes call themselves a {found.option}: history cannot teach how"
        " such fixes look; learn it from own runs.",
        occurrence_count=found.sample_count - hits,
        prior=found.prior("hit", ["no"]),
    )


_TRANSFORMERS: dict[str, Callable[[Found, dict[str, Any]], Iterator[Entry]]] = {
    "project_layout": _layout,
    "error_remedy": _remedy,
    "test_companion": _companion,
    "reverted": _reverted,
    "strategy_mismatch": _mismatch,
    "message_rule": _rule,
}
