"""All evidence that one repository gives; of a clone, only what is new since it was last read."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from core.records.mined import ClosedIssue, MinedRepository
from miners import repo_analyzer
from miners.commit_miner import CommitMiner, Reverts, is_of_issue
from miners.histories import FILTERED, History, Overview, overview_of
from miners.settings import CommitFilters
from miners.tally import MiningTally
from stores.agent.context_types import CONTEXT_TYPES
from stores.agent.records import ANY, Evidence, RepositoryState


@dataclass
class Mined:
    """A repository and its evidence, which can be read once, while its history is open."""

    state: RepositoryState
    evidence: Generator[Evidence, None, None]
    """What is new, with all that the tree shows."""
    kept: frozenset[str] = frozenset()
    """Commits whose earlier evidence still holds."""
    issues_kept: frozenset[str] = frozenset()
    """Commits whose evidence from earlier issues still holds, even where everything else is read again."""
    reverts: Reverts = field(default_factory=Reverts)
    unchanged: bool = False
    """Nothing has happened since it was last read."""


@dataclass(frozen=True)
class EvidenceRules:
    """What decides the evidence of a history."""

    filters: CommitFilters = field(default_factory=CommitFilters)
    digest: str = ""
    """Names these rules: what was read by others is read again."""


def rules_of(filters: CommitFilters, code: str) -> EvidenceRules:
    """The rules of these settings; `code` is a digest of the code that makes evidence of a commit."""
    settings = filters.model_dump_json(include=set(CommitFilters.model_fields))
    return EvidenceRules(filters, sha256(f"{code}\n{settings}".encode()).hexdigest()[:16])


def mine(
    history: History,
    last: RepositoryState | None,
    rules: EvidenceRules,
    tally: MiningTally,
    github: MinedRepository | None = None,
) -> Mined:
    """The evidence of a history; `last` is how far an earlier run got, `github` what GitHub knows of it and its issues.

    A repository that was read by other rules, or that uses another dialect by now, is read from scratch, so that the
    result is the same as that of a first run. `tally` gets the figures once the evidence has been read to its end.
    """
    known = github if github and github.full_name else _known(last, rules.digest)
    if last and history.is_incremental and _is_read(last, history.head, rules.digest) and _as_before(last, known):
        tally.counts["repositories without news"] += 1
        return Mined(last, _nothing(), unchanged=True)
    overview = overview_of(history)
    rules_here = f"{rules.digest} {overview.dialect}{FILTERED if history.is_filtered else ''}"
    new = history.new_since(last.head) if last and last.rules == rules_here else None
    by_these_rules = last is not None and last.rules.startswith(f"{rules.digest} ")
    everything = frozenset(overview.hashes)
    profile = history.profile(known.topics)
    miner = CommitMiner(history.key, overview.dialect, rules.filters, overview.reverts)
    return Mined(
        state=_state(history, rules_here, overview.dialect, profile, known),
        evidence=_evidence(history, overview, new, profile, known, miner, tally),
        kept=frozenset() if new is None else everything,
        issues_kept=everything if by_these_rules else frozenset(),
        reverts=overview.reverts,
    )


def holds(piece: Evidence, mined: Mined) -> bool:
    """True for a piece of earlier evidence that still holds: its commit is still on the main line.

    What a tree shows is read again each time.
    """
    context = CONTEXT_TYPES.get(piece.context_type)
    if context is None or context.unit != "commit":
        return False
    return piece.sha in (mined.issues_kept if is_of_issue(piece) else mined.kept)


def _nothing() -> Generator[Evidence, None, None]:
    yield from ()


def _evidence(
    history: History,
    overview: Overview,
    new: list[str] | None,
    profile: repo_analyzer.Profile | None,
    known: MinedRepository,
    miner: CommitMiner,
    tally: MiningTally,
) -> Generator[Evidence, None, None]:
    for commit in history.commits(overview.hashes if new is None else new):
        yield from miner.evidence_of(*commit)
    if profile:
        yield from repo_analyzer.evidence_of(profile, history.key, history.head, overview.head_at)
    yield from _of_issues(history, overview, miner, known)
    tally.counts["repositories"] += 1
    tally.counts += miner.counts
    tally.drops += miner.drops


def _of_issues(history: History, overview: Overview, miner: CommitMiner, known: MinedRepository) -> Iterator[Evidence]:
    """Remedies of the errors that issues name, by the commit that closed each.

    That is the one GitHub names, or one whose message says it fixes the issue; it must be on the main line.
    """
    main_line = frozenset(overview.hashes)
    closed: dict[str, list[ClosedIssue]] = {}
    for issue in known.issues:
        named = (*issue.commits, overview.closing.get(issue.number, ""))
        closer = next((sha for sha in named if sha in main_line), None)
        if closer:
            closed.setdefault(closer, []).append(issue)
        else:
            miner.drops["issues whose closing commit is not known"] += 1
    for commit in history.commits(list(closed)) if closed else ():
        for issue in closed[commit.metadata.hash]:
            yield from miner.evidence_of_issue(issue, *commit)


def _state(
    history: History, rules: str, dialect: str, profile: repo_analyzer.Profile | None, known: MinedRepository
) -> RepositoryState:
    facts: dict[str, Any] = {"dialect": dialect, "topics": known.topics}
    if profile:
        facts |= {"language": profile.language, "files": profile.files, "archetypes": profile.scores}
        facts |= {"has_readme": profile.has_readme, "has_licence": profile.has_licence}
    return RepositoryState(
        key=history.key,
        name=known.full_name or history.name,
        location=history.location,
        archetype=profile.archetype if profile else ANY,
        archetype_confidence=profile.archetype_confidence if profile else 0.0,
        github_id=known.github_id,
        licence=known.licence,
        stars=known.stars,
        head=history.head,
        rules=rules,
        issues_until=known.issues_until,
        facts=facts,
    )


def _is_read(last: RepositoryState, head: str, rules: str) -> bool:
    """True where all up to this head was read by these rules."""
    return last.head == head and last.rules.startswith(f"{rules} ") and not last.rules.endswith(FILTERED)


def _as_before(last: RepositoryState, known: MinedRepository) -> bool:
    """True where GitHub has no news either. Stars come and go; alone they are no reason to read it all again."""
    name = last.name if last.github_id else ""
    before = (name, last.licence, last.facts.get("topics", []))
    return not known.issues and (known.full_name, known.licence, known.topics) == before


def _known(last: RepositoryState | None, rules: str) -> MinedRepository:
    """What an earlier run has learned from GitHub. Issues that it read by other rules are to be read again."""
    if last is None:
        return MinedRepository(location="")
    return MinedRepository(
        location=last.location,
        full_name=last.name if last.github_id else "",
        github_id=last.github_id,
        stars=last.stars,
        licence=last.licence,
        topics=list(last.facts.get("topics", ())),
        issues_until=last.issues_until if last.rules.startswith(f"{rules} ") else "",
    )
