"""Everything that stages 1 and 2 have read of a repository, as evidence: commits.json and chunks.jsonl."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.errors import GitloreError
from core.git.names import folder_name, is_url
from core.history.overlay import Overlay
from core.records.chunk_files import chunk_groups
from core.records.commit_files import read_commits, read_history
from core.records.commits import Commit, HistoryMetadata, side_branches
from miners import clones, repo_analyzer
from miners.commit_miner import CommitMiner, Reverts
from miners.repository_miner import Mined, Tally, facts_about
from miners.settings import CommitFilters
from miners.signals.dialects import Dialect, dialect_of
from stores.agent.records import ANY, Evidence, RepositoryState


class _Chunk(msgspec.Struct):
    """All that is looked at of a chunk."""

    change_type: str
    symbol_kind: str
    is_test: bool = False


_CHUNK = msgspec.json.Decoder(_Chunk)
_NO_SYMBOL = ("dependency", "configuration", "documentation", "other", "formatting")


@contextmanager
def mine_history(
    commits: Path,
    chunks: Path,
    filters: CommitFilters,
    rules: str,
    tally: Tally,
    last_of: Callable[[str], RepositoryState | None] = lambda _: None,
) -> Iterator[Mined]:
    """What the scraped history shows, of commits on the main branch. The evidence must be taken inside the block.

    Where the repository itself is still there, its tree is looked at too. `last_of` gives how far a repository was
    read before, by its key: what GitHub told of it stays.
    """
    history = read_history(commits)
    branches = side_branches(history)
    seen = _look_over(commits, history, branches)
    profile = _profile(history, seen.head)
    last = last_of(seen.key)
    # Whatever the scraper left out was not read: another reading of the same commits is then another one.
    rules_here = f"{rules} {seen.dialect}" + (" of a part of the history" if history.left_out else "")
    state = RepositoryState(
        key=seen.key,
        name=last.name if last and last.github_id else folder_name(history.repository),
        location=_place(history.repository),
        archetype=profile.archetype if profile else ANY,
        archetype_confidence=profile.archetype_confidence if profile else 0.0,
        github_id=last.github_id if last else None,
        licence=last.licence if last else "",
        stars=last.stars if last else None,
        head=seen.head,
        rules=rules_here,
        issues_until=last.issues_until if last else "",
        facts=facts_about(profile, seen.dialect, last.facts.get("topics", []) if last else []),
    )
    miner = CommitMiner(seen.key, seen.dialect, filters, seen.reverts)
    tally.counts["repositories"] += 1
    kept = frozenset(seen.hashes) if last and last.rules.startswith(f"{rules} ") else frozenset[str]()
    if not kept:
        state.issues_until = ""
    yield Mined(
        state, None, _evidence(commits, chunks, branches, miner, profile, state), seen.reverts, issues_kept=kept
    )
    tally.counts += miner.counts
    tally.drops += miner.drops


def _place(repository: str) -> str:
    return repository if is_url(repository) else str(Path(repository).expanduser().resolve())


@dataclass(frozen=True)
class _Seen:
    """What one pass over the messages tells."""

    dialect: Dialect
    reverts: Reverts
    head: str
    key: str
    hashes: list[str]


def _look_over(commits: Path, history: HistoryMetadata, branches: list[str]) -> _Seen:
    reverted: list[tuple[str, str]] = []
    hashes: list[str] = []

    def subjects() -> Iterator[str]:
        for commit in _main(commits, branches):
            meta = commit.metadata
            hashes.append(meta.hash)
            reverted.extend((old, meta.hash) for old in meta.reverts)
            yield meta.message

    dialect = dialect_of(subjects())
    newest = hashes[-1] if hashes else ""
    head = history.ref_tips.get(f"refs/heads/{history.current_branch}", newest)
    return _Seen(dialect, Reverts(reverted), head, _key(history, head, hashes[0] if hashes else ""), hashes)


def _key(history: HistoryMetadata, head: str, root: str) -> str:
    try:
        return clones.key_of(Path(history.git_dir), head)
    except (GitloreError, OSError):  # the repository has moved; its first commit in the file is the same in most cases
        return f"root:{root}"


def _profile(history: HistoryMetadata, head: str) -> repo_analyzer.Profile | None:
    try:
        with Overlay(Path(history.git_dir)) as overlay:
            return repo_analyzer.profile_of(overlay, head)
    except (GitloreError, OSError):
        return None


def _main(commits: Path, branches: list[str]) -> Iterator[Commit]:
    """Commits that the main branch contains, oldest first."""
    return (commit for commit in read_commits(commits) if not branches[commit.metadata.branch_set])


def _evidence(
    commits: Path,
    chunks: Path,
    branches: list[str],
    miner: CommitMiner,
    profile: repo_analyzer.Profile | None,
    state: RepositoryState,
) -> Iterator[Evidence]:
    at = 0
    times: dict[str, int] = {}
    for commit in _main(commits, branches):
        at = commit.metadata.commit_timestamp_unix
        times[commit.metadata.hash] = at
        yield from miner.evidence_of(commit.metadata, commit.diffs, lambda commit=commit: commit.diffs)  # type: ignore[misc]
    if profile:
        yield from repo_analyzer.evidence_of(profile, state.key, state.head, times.get(state.head, at))
    yield from _companions(chunks, times, state.key)


def _companions(chunks: Path, times: dict[str, int], repository: str) -> Iterator[Evidence]:
    """For each type of change that a commit makes to code: whether it changes a test too."""
    for group in chunk_groups(chunks):
        if group.commit_hash not in times:
            continue
        made = [_CHUNK.decode(line) for line in group.lines]
        tested = any(chunk.is_test for chunk in made)
        types = {
            chunk.change_type for chunk in made if not chunk.is_test and chunk.symbol_kind not in ("file", "section")
        }
        for change_type in sorted(types.difference(_NO_SYMBOL)):
            yield Evidence(
                context_type="test_companion",
                option=change_type,
                repository=repository,
                sha=group.commit_hash,
                at=times[group.commit_hash],
                outcome={"with_tests": "yes" if tested else "no"},
            )
