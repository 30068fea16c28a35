"""Clones of repositories: what tells them apart, and which of their commits are new."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.config import without_credentials
from core.errors import StageError, UserError
from core.git import commands, refs
from core.git.names import folder_name, is_url
from core.git.refs import is_partial
from core.git.repositories import open_repository
from core.history.filters import Filters
from core.history.messages import facts_of
from core.history.options import ReadOptions
from core.history.overlay import Overlay
from core.history.reader import ReadCommit, Reader
from core.records.commits import FileDiff
from miners.commit_miner import Reverts
from miners.signals.dialects import Dialect, dialect_of

_DIFF = msgspec.json.Decoder(FileDiff)
_RENAME_SIMILARITY = 50
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Clone:
    """A repository on this machine, at the commit that is checked out."""

    key: str
    name: str
    location: str
    git_dir: Path
    head: str


@dataclass(frozen=True)
class News:
    """What of a clone is to be read."""

    hashes: Sequence[str]
    """Commits to read, parents first."""
    kept: frozenset[str] | None
    """Commits of which earlier evidence still holds; None: of none, everything is read anew."""


def open_clone(location: str, cache_dir: Path) -> Clone:
    """Open the repository at a path, or clone (update) the one at a URL.

    Raises UserError where there is none, or one that lacks commits or objects on purpose (its first commit would be
    another one, its changes could not be read), or where it is empty; StageError where git cannot read it.
    """
    try:
        repository = open_repository(location, cache_dir)
    except UserError as error:
        raise UserError(error.message, "name the folder of a clone, or a git URL") from None
    if refs.boundary(repository.git_dir, "shallow") or is_partial(repository.git_dir):
        raise UserError(
            f"{repository.location} is a shallow or partial clone", "get all of it: git fetch --unshallow --refetch"
        )
    head = refs.head(repository.git_dir)
    if not head:
        raise UserError(f"{repository.location} has no commits", "name another repository")
    name = folder_name(location)
    if name in ("repo", "repository"):  # a folder that says nothing: the one above may
        name = folder_name(str(Path(location).resolve().parent)) if not is_url(location) else name
    place = location if is_url(location) else str(Path(location).expanduser().resolve())
    return Clone(key_of(repository.git_dir, head), name, without_credentials(place), repository.git_dir, head)


def key_of(git_dir: Path, head: str) -> str:
    """What all clones of a repository have in common: the first commit of its main line."""
    listing = commands.run(git_dir, "rev-list", "--first-parent", "--max-parents=0", "--end-of-options", head)
    roots = listing.decode().split()
    if not roots:
        raise StageError(f"{git_dir}: the first commit cannot be found", "check it with git fsck")
    return f"root:{roots[-1]}"


def news_of(overlay: Overlay, head: str, last: str) -> News:
    """Commits that `head` leads to and `last`, the head of an earlier run, did not.

    After a force push these are the commits since the two parted; what was seen of the others is not kept.
    """
    listing = ("rev-list", "--topo-order", "--reverse", head)
    if not last or not _exists(overlay, last):
        return News(overlay.run(*listing).decode().split(), None)
    return News(overlay.run(*listing, f"^{last}").decode().split(), all_commits(overlay, head))


def all_commits(overlay: Overlay, head: str) -> frozenset[str]:
    """Every commit that `head` leads to."""
    return frozenset(overlay.run("rev-list", head).decode().split())


def existing(overlay: Overlay, commits: Iterable[str]) -> set[str]:
    """Those of the commits that the repository has."""
    named = [commit for commit in dict.fromkeys(commits) if _HASH.fullmatch(commit)]
    if not named:
        return set()
    lines = overlay.run("cat-file", "--batch-check", stdin="".join(f"{one}\n" for one in named).encode()).splitlines()
    return {one for one, line in zip(named, lines, strict=True) if line.split()[1:2] == [b"commit"]}


def _exists(overlay: Overlay, commit: str) -> bool:
    return bool(existing(overlay, [commit]))


def read(overlay: Overlay, hashes: Sequence[str], workers: int) -> Iterator[ReadCommit]:
    """These commits with their file changes, in order and in flat memory. Lines around changes are left away."""
    options = ReadOptions(context_lines=0, rename_similarity=_RENAME_SIMILARITY)
    yield from Reader(overlay, options, Filters(), workers).read(hashes)


def diffs_of(commit: ReadCommit) -> list[FileDiff]:
    """A commit's file changes without their patches."""
    return [change.diff for change in commit.changes]


def patches_of(commit: ReadCommit) -> list[FileDiff]:
    """A commit's file changes with their patches; to be asked before the next commit is read."""
    return [_DIFF.decode(line) for line in commit.diffs()]


@dataclass(frozen=True)
class Messages:
    """What all messages of a repository say together."""

    dialect: Dialect
    reverts: Reverts
    closing: dict[int, str]
    """By the number of an issue: the newest commit that says it fixes it."""


def messages(overlay: Overlay, head: str) -> Messages:
    """Go through the messages of all commits that `head` leads to."""
    reverted: list[tuple[str, str]] = []
    closing: dict[int, str] = {}

    def subjects() -> Iterator[str]:
        with overlay.stream("log", "-z", "--format=%H%n%B", head) as output:
            for record in _records(iter(lambda: output.read(1 << 18), b"")):
                sha, _, message = record.decode(errors="replace").partition("\n")
                subject, _, body = message.partition("\n")
                if "#" in message or "everts commit" in body:
                    facts = facts_of(subject, body, "")
                    reverted.extend((old, sha) for old in facts.reverts)
                    for issue in facts.trailers.get("Fixes", ()):
                        if issue.startswith("#"):
                            closing.setdefault(int(issue[1:]), sha)
                yield subject

    dialect = dialect_of(subjects())
    return Messages(dialect, Reverts(reverted), closing)


def _records(blocks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\0")
        yield from whole
    if rest:
        yield rest
