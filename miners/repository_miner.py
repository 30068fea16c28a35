"""Everything that one clone teaches, and only what is new since it was last read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from core.history.overlay import Overlay
from core.records.mined import ClosedIssue, MinedRepository
from miners import clones, repo_analyzer
from miners.clones import Clone, Messages, News
from miners.commit_miner import CommitMiner, Reverts, is_of_issue
from miners.settings import CommitFilters
from stores.agent.context_types import CONTEXT_TYPES
from stores.agent.records import Evidence, RepositoryState


@dataclass
class Mined:
    """A repository that was looked at. `evidence` can be gone through once."""

    state: RepositoryState
    kept: frozenset[str] | None
    """Commits of which earlier evidence of commits still holds; None: none."""
    evidence: Iterable[Evidence]
    """What is new, with all that the tree shows."""
    reverts: Reverts = field(default_factory=Reverts)
    unchanged: bool = False
    """Nothing has happened since it was last read."""
    issues_kept: frozenset[str] = frozenset()
    """Commits of which what earlier issues showed still holds, even where all else is read anew."""


@dataclass
class Tally:
    """What was seen and what was left out, over all repositories."""

    counts: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)


def rules_digest(filters: CommitFilters, code: str) -> str:
    """Changes with the settings, and with the code that makes evidence of a commit: `code` is a digest of it."""
    settings = filters.model_dump_json(include=set(CommitFilters.model_fields))
    return sha256(f"{code}\n{settings}".encode()).hexdigest()[:16]


@contextmanager
def mine(
    clone: Clone,
    last: RepositoryState | None,
    filters: CommitFilters,
    rules: str,
    tally: Tally,
    *,
    github: MinedRepository | None = None,
    workers: int = 1,
    scratch: Path | None = None,
) -> Iterator[Mined]:
    """Look at a clone; `last` is how far an earlier run got, `github` what GitHub knows of it and its issues.

    The evidence must be taken inside the block. `scratch` is a folder that nobody else mines in meanwhile.

    A repository that was read by other rules, or that speaks in another dialect by now, is read anew, so that
    the result is the same as that of a first run.
    """
    known = github if github and github.full_name else _known(last)
    with Overlay(clone.git_dir, scratch) as overlay:
        if last and last.head == clone.head and last.rules.startswith(f"{rules} ") and _as_before(last, known):
            tally.counts["repositories without news"] += 1
            yield Mined(last, frozenset(), (), unchanged=True)
            return
        said = clones.messages(overlay, clone.head)
        rules_here = f"{rules} {said.dialect}"
        news = clones.news_of(overlay, clone.head, last.head if last and last.rules == rules_here else "")
        profile = repo_analyzer.profile_of(overlay, clone.head, known.topics)
        state = _state(clone, rules_here, said, profile, known)
        tally.counts["repositories"] += 1
        miner = CommitMiner(clone.key, said.dialect, filters, said.reverts)
        seen = _evidence(overlay, clone, news, miner, profile, workers)
        remedies = _of_issues(overlay, said, miner, known)
        by_these_rules = last is not None and last.rules.startswith(f"{rules} ")
        there = clones.all_commits(overlay, clone.head) if by_these_rules else frozenset[str]()
        yield Mined(state, news.kept, chain(seen, remedies), said.reverts, issues_kept=there)
        tally.counts += miner.counts
        tally.drops += miner.drops


def holds(piece: Evidence, mined: Mined) -> bool:
    """True for a piece of earlier evidence that still says something: of a commit that is still there.

    What a tree shows is looked at anew each time.
    """
    context = CONTEXT_TYPES.get(piece.context_type)
    if context is None or context.unit != "commit":
        return False
    if is_of_issue(piece):
        return piece.sha in mined.issues_kept
    return mined.kept is not None and piece.sha in mined.kept


def _evidence(
    overlay: Overlay, clone: Clone, news: News, miner: CommitMiner, profile: repo_analyzer.Profile, workers: int
) -> Iterator[Evidence]:
    for commit in clones.read(overlay, news.hashes, workers):
        yield from miner.evidence_of(
            commit.metadata,
            clones.diffs_of(commit),
            lambda commit=commit: clones.patches_of(commit),  # type: ignore[misc]
        )
    at = int(overlay.run("show", "--no-patch", "--format=%ct", clone.head))
    yield from repo_analyzer.evidence_of(profile, clone.key, clone.head, at)


def _of_issues(overlay: Overlay, said: Messages, miner: CommitMiner, known: MinedRepository) -> Iterator[Evidence]:
    """Remedies of the errors that issues name: by the commit that GitHub names, else by one that says it fixes it."""
    named = {issue.number: [*issue.commits, *filter(None, [said.closing.get(issue.number)])] for issue in known.issues}
    there = clones.existing(overlay, [commit for commits in named.values() for commit in commits])
    closers = {number: next(one for one in some if one in there) for number, some in named.items() if there & {*some}}
    miner.drops["issues whose closing commit is not known"] += len(named) - len(closers)
    issues: dict[str, list[ClosedIssue]] = {}
    for issue in known.issues:
        if issue.number in closers:
            issues.setdefault(closers[issue.number], []).append(issue)
    for commit in clones.read(overlay, list(issues), workers=1):
        for issue in issues[commit.metadata.hash]:
            yield from miner.evidence_of_issue(
                issue,
                commit.metadata,
                clones.diffs_of(commit),
                lambda commit=commit: clones.patches_of(commit),  # type: ignore[misc]
            )


def _state(
    clone: Clone, rules: str, said: Messages, profile: repo_analyzer.Profile, known: MinedRepository
) -> RepositoryState:
    return RepositoryState(
        key=clone.key,
        name=known.full_name or clone.name,
        location=clone.location,
        archetype=profile.archetype,
        archetype_confidence=profile.archetype_confidence,
        github_id=known.github_id,
        licence=known.licence,
        stars=known.stars,
        head=clone.head,
        rules=rules,
        issues_until=known.issues_until,
        facts=facts_about(profile, said.dialect, known.topics),
    )


def facts_about(profile: repo_analyzer.Profile | None, dialect: str, topics: list[str]) -> dict[str, Any]:
    """What is kept of a repository for people."""
    found: dict[str, Any] = {"dialect": dialect, "topics": topics}
    if profile:
        found |= {"language": profile.language, "files": profile.files, "archetypes": profile.scores}
        found |= {"has_readme": profile.has_readme, "has_licence": profile.has_licence}
    return found


def _as_before(last: RepositoryState, known: MinedRepository) -> bool:
    """True where GitHub has no news either. Stars come and go; alone they are no reason to read it all again."""
    before = _known(last)
    return not known.issues and (known.full_name, known.licence, known.topics) == (
        before.full_name,
        before.licence,
        before.topics,
    )


def _known(last: RepositoryState | None) -> MinedRepository:
    """What an earlier run has learnt from GitHub."""
    if last is None:
        return MinedRepository(location="")
    return MinedRepository(
        location=last.location,
        full_name=last.name if last.github_id else "",
        github_id=last.github_id,
        stars=last.stars,
        licence=last.licence,
        topics=list(last.facts.get("topics", ())),
        issues_until=last.issues_until,
    )
