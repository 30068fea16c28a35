"""Everything that one clone teaches, and only what is new since it was last read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from core import fingerprint
from core.files import Digests
from core.history.overlay import Overlay
from miners import clones, repo_analyzer
from miners.clones import Clone, News
from miners.commit_miner import CommitFilters, CommitMiner, Reverts
from stores.context_types import CONTEXT_TYPES
from stores.records import Evidence, RepositoryState


@dataclass(frozen=True)
class FromGitHub:
    """What only GitHub knows of a repository."""

    full_name: str = ""
    id: int | None = None
    stars: int | None = None
    licence: str = ""
    topics: tuple[str, ...] = ()


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


@dataclass
class Tally:
    """What was seen and what was left out, over all repositories."""

    counts: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)


def rules_digest(filters: CommitFilters, cache_dir: Path) -> str:
    """Changes with the settings and with the code that decides what is seen in a commit."""
    digests = Digests(cache_dir / "miner-digests.json")
    files = fingerprint.code_files(Path(__file__).resolve(), digests)
    code = [f"{name} {fingerprint.code_digest(fingerprint.PROJECT / name, digests)}" for name in files]
    digests.save()
    return sha256("\n".join([*code, repr(filters)]).encode()).hexdigest()[:16]


@contextmanager
def mine(
    clone: Clone,
    last: RepositoryState | None,
    filters: CommitFilters,
    rules: str,
    tally: Tally,
    *,
    github: FromGitHub | None = None,
    workers: int = 1,
) -> Iterator[Mined]:
    """Look at a clone; `last` is how far an earlier run got. The evidence must be taken inside the block.

    A repository that was read by other rules, or that speaks in another dialect by now, is read anew, so that
    the result is the same as that of a first run.
    """
    with Overlay(clone.git_dir) as overlay:
        if last and last.head == clone.head and last.rules.startswith(rules) and _same(last, github):
            tally.counts["repositories without news"] += 1
            yield Mined(last, frozenset(), (), unchanged=True)
            return
        dialect, reverts = clones.messages(overlay, clone.head)
        rules_here = f"{rules} {dialect}"
        known = last.head if last and last.rules == rules_here else ""
        news = clones.news_of(overlay, clone.head, known)
        known_github = github or _github_of(last)
        profile = repo_analyzer.profile_of(overlay, clone.head, known_github.topics)
        state = RepositoryState(
            key=clone.key,
            name=known_github.full_name or clone.name,
            location=clone.location,
            archetype=profile.archetype,
            archetype_confidence=profile.archetype_confidence,
            github_id=known_github.id,
            licence=known_github.licence,
            stars=known_github.stars,
            head=clone.head,
            rules=rules_here,
            issues_until=last.issues_until if last else "",
            facts={
                "language": profile.language,
                "dialect": dialect,
                "files": profile.files,
                "archetypes": profile.scores,
                "has_readme": profile.has_readme,
                "has_licence": profile.has_licence,
                "topics": list(known_github.topics),
            },
        )
        tally.counts["repositories"] += 1
        miner = CommitMiner(clone.key, dialect, filters, reverts)
        seen = _evidence(overlay, clone, news, miner, profile, workers)
        yield Mined(state, news.kept, seen, reverts)
        tally.counts += miner.counts
        tally.drops += miner.drops


def holds(piece: Evidence, mined: Mined) -> bool:
    """True for a piece of earlier evidence that still says something: of a commit that is still there.

    What a tree shows is looked at anew each time.
    """
    context = CONTEXT_TYPES.get(piece.context_type)
    return mined.kept is not None and piece.sha in mined.kept and context is not None and context.unit == "commit"


def _evidence(
    overlay: Overlay, clone: Clone, news: News, miner: CommitMiner, profile: repo_analyzer.Profile, workers: int
) -> Iterator[Evidence]:
    for commit in clones.read(overlay, news.hashes, workers):
        yield from miner.evidence_of(
            commit.metadata, clones.diffs_of(commit), lambda commit=commit: clones.patches_of(commit)  # type: ignore[misc]
        )
    at = int(overlay.run("show", "--no-patch", "--format=%ct", clone.head))
    yield from repo_analyzer.evidence_of(profile, clone.key, clone.head, at)


def _same(last: RepositoryState, github: FromGitHub | None) -> bool:
    return github is None or _github_of(last) == github


def _github_of(last: RepositoryState | None) -> FromGitHub:
    if last is None:
        return FromGitHub()
    return FromGitHub(
        full_name=last.name if last.github_id else "",
        id=last.github_id,
        stars=last.stars,
        licence=last.licence,
        topics=tuple(last.facts.get("topics", ())),
    )
