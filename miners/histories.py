"""A history that becomes evidence, whether it comes from a clone or from commits.json.

Only the main line counts: the commits that the branch (or commit) checked out leads to. Both sources give the same of
them.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.errors import GitloreError
from core.git.encodings import texts_of, with_line_feeds
from core.history.filters import CommitScope
from core.history.messages import facts_of
from core.history.options import ReadOptions
from core.history.overlay import Overlay
from core.history.reader import ReadCommit, Reader
from core.history.walk import raw_texts
from core.records.commit_files import branch_set_of, checked_set, commit_heads, read_commits, read_history
from core.records.commits import Commit, CommitMetadata, FileDiff, HistoryMetadata, main_branch, on_main_line
from miners.clones import Clone, key_of, name_of, place_of
from miners.commit_miner import Reverts
from miners.repo_analyzer import Profile, profile_of
from miners.signals.dialects import Dialect, dialect_of

FILTERED = " of a part of the history"
"""Added to the recorded rules where the scraper left some commits or files out: all of it is then still to be read."""
_DIFF = msgspec.json.Decoder(FileDiff)
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class CommitMessage(NamedTuple):
    """What one pass over all messages needs of a commit."""

    sha: str
    at: int
    """When it was committed, seconds since 1970."""
    subject: str
    body: str


class MainLineCommit(NamedTuple):
    """One commit."""

    metadata: CommitMetadata
    diffs: Sequence[FileDiff]
    """Its file changes; their patches may be missing."""
    patches: Callable[[], Iterable[FileDiff]]
    """Gives them with their patches; call it before the next commit is read."""


class History(ABC):
    """One repository's main line."""

    key: str
    name: str
    location: str
    head: str
    is_incremental = False
    """An earlier reading can be continued."""
    is_filtered = False
    """The scraper left some of it out."""
    newest_first = False
    """Messages come in this order."""

    @abstractmethod
    def messages(self) -> Iterator[CommitMessage]:
        """All messages, oldest first or `newest_first`."""

    @abstractmethod
    def commits(self, hashes: Sequence[str]) -> Iterator[MainLineCommit]:
        """These of its commits, one at a time."""

    @abstractmethod
    def new_since(self, last: str) -> list[str] | None:
        """Commits that the head leads to and `last` does not, parents first; None where that cannot be known.

        After a force push these are the commits since the two parted.
        """

    @abstractmethod
    def profile(self, topics: Iterable[str]) -> Profile | None:
        """What the tree of its head shows; None if no tree can be read."""


class ClonedHistory(History):
    """Read from a clone, through an overlay that must stay open."""

    is_incremental = True
    newest_first = True

    def __init__(self, overlay: Overlay, clone: Clone, workers: int = 1) -> None:
        self.key, self.name, self.location, self.head = clone.key, clone.name, clone.location, clone.head
        self._overlay, self._workers = overlay, workers

    def messages(self) -> Iterator[CommitMessage]:
        """All messages, newest first: for the other order git would have to hold them all in memory."""
        with self._overlay.stream("log", "-z", "--format=%H %ct %e%n%B", self.head) as output:
            for records in _records(iter(lambda: output.read(1 << 18), b"")):
                found = [(*head.split(b" ", 2), text) for head, _, text in (one.partition(b"\n") for one in records)]
                # git re-encodes from what a commit declares, even where that is wrong.
                declaring = [sha for sha, _, declared, _ in found if declared]
                raw = {sha: text for sha, (_, text) in zip(declaring, raw_texts(self._overlay, declaring), strict=True)}
                for sha, at, declared, text in found:
                    yield _message(sha, at, raw.get(sha, text), declared)

    def commits(self, hashes: Sequence[str]) -> Iterator[MainLineCommit]:
        """These commits, read with the scraper's default options, so that both sources see the same lines."""
        for commit in Reader(self._overlay, ReadOptions(), CommitScope(), self._workers).read(hashes):
            yield MainLineCommit(commit.metadata, [change.diff for change in commit.changes], _patches_of(commit))

    def new_since(self, last: str) -> list[str] | None:
        """As above; None where the clone does not have `last` any more."""
        if not _HASH.fullmatch(last):
            return None
        kind = self._overlay.run("cat-file", "--batch-check=%(objecttype)", stdin=f"{last}\n".encode())
        if kind.strip() != b"commit":
            return None
        return self._overlay.run("rev-list", "--topo-order", "--reverse", self.head, f"^{last}").decode().split()

    def profile(self, topics: Iterable[str]) -> Profile:
        """What the tree shows. Raises StageError where git cannot list it."""
        return profile_of(self._overlay, self.head, topics)


@contextmanager
def cloned(clone: Clone, scratch: Path | None = None, workers: int = 1) -> Iterator[ClonedHistory]:
    """The history of a clone. `scratch` is a folder that no other miner uses meanwhile."""
    with Overlay(clone.git_dir, scratch) as overlay:
        yield ClonedHistory(overlay, clone, workers)


class ScrapedHistory(History):
    """Read from commits.json; of the repository itself only the tree is read, if it is still there."""

    def __init__(self, path: Path) -> None:
        """Raises UserError if the file is not a commits.json."""
        self._path, history = path, read_history(path)
        self._is_main = on_main_line(history)
        self._git_dir = Path(history.git_dir)
        detached = history.detached_head or ""
        self._detached_line = self._reached_by(detached) if detached else None
        self.name, self.location = name_of(history.repository), place_of(history.repository)
        self.head = (detached if self._detached_line else _tip(history)) or self._newest()
        self.key = self._key()
        self.is_filtered = bool(history.left_out)

    def messages(self) -> Iterator[CommitMessage]:
        """All messages, oldest first."""
        for commit in self._main_line():
            meta = commit.metadata
            yield CommitMessage(meta.hash, meta.commit_timestamp_unix, meta.message, meta.message_body)

    def commits(self, hashes: Sequence[str]) -> Iterator[MainLineCommit]:
        """These commits, oldest first."""
        wanted = frozenset(hashes)
        for commit in self._main_line():
            if commit.metadata.hash in wanted:
                yield MainLineCommit(commit.metadata, commit.diffs, lambda commit=commit: commit.diffs)  # type: ignore[misc]

    def new_since(self, last: str) -> list[str] | None:  # noqa: ARG002
        """None: settings of the scraper decide what the file has of a commit; an earlier run may have had others."""
        return None

    def profile(self, topics: Iterable[str]) -> Profile | None:
        """What the tree shows, as far as the repository is still there."""
        try:
            with Overlay(self._git_dir) as overlay:
                return profile_of(overlay, self.head, topics)
        except (GitloreError, OSError):
            return None

    def _main_line(self) -> Iterator[Commit]:
        for commit in read_commits(self._path):
            if self._is_on_line(commit.metadata.hash, commit.metadata.branch_set):
                yield commit

    def _main_hashes(self) -> Iterator[str]:
        for _, head, line in commit_heads(self._path):
            if self._is_on_line(head.hash, branch_set_of(line, len(self._is_main))):
                yield head.hash

    def _is_on_line(self, hash_: str, branch_set: int) -> bool:
        if self._detached_line:
            return hash_ in self._detached_line
        return self._is_main[checked_set(branch_set, len(self._is_main))]

    def _reached_by(self, head: str) -> frozenset[str] | None:
        """The commits that a detached head leads to; no branch set names them. None where the repository is gone."""
        try:
            with Overlay(self._git_dir) as overlay:
                return frozenset(overlay.run("rev-list", head).decode().split())
        except (GitloreError, OSError):
            return None

    def _newest(self) -> str:
        return next(iter(deque(self._main_hashes(), maxlen=1)), "")

    def _key(self) -> str:
        try:
            return key_of(self._git_dir, self.head)
        except (GitloreError, OSError):  # the repository has moved; the first commit in the file is mostly its root
            return f"root:{next(self._main_hashes(), '')}"


@dataclass(frozen=True)
class Overview:
    """What all messages of a history show together."""

    dialect: Dialect
    reverts: Reverts
    closing: dict[int, str]
    """By the number of an issue: the newest commit whose message says that it fixes it."""
    hashes: list[str]
    """Of all commits, oldest first."""
    head_at: int
    """When the head was committed, or the newest commit that was read."""


def overview_of(history: History) -> Overview:
    """Go through all messages once."""
    hashes: list[str] = []
    reverted: list[tuple[int, str, str]] = []
    closing: dict[int, tuple[int, str]] = {}
    head_at = newest = 0

    def subjects() -> Iterator[str]:
        nonlocal head_at, newest
        for sha, at, subject, body in history.messages():
            hashes.append(sha)
            newest = max(newest, at)
            head_at = at if sha == history.head else head_at
            if "#" in subject or "#" in body or "everts commit" in body:
                facts = facts_of(subject, body, "")
                reverted.extend((at, sha, old) for old in facts.reverts)
                for issue in facts.trailers.get("Fixes", ()):
                    if issue.startswith("#"):
                        number = int(issue[1:])
                        closing[number] = max((at, sha), closing.get(number, (at, sha)))
            yield subject

    dialect = dialect_of(subjects())
    return Overview(
        dialect=dialect,
        # By time, since the two sources give commits in orders that differ where clocks do.
        reverts=Reverts((old, by) for _, by, old in sorted(reverted)),
        closing={number: sha for number, (_, sha) in closing.items()},
        hashes=hashes[::-1] if history.newest_first else hashes,
        head_at=head_at or newest,
    )


def _patches_of(commit: ReadCommit) -> Callable[[], list[FileDiff]]:
    return lambda: [_DIFF.decode(line) for line in commit.diffs()]


def _tip(history: HistoryMetadata) -> str:
    """The commit of the main branch, "" where its ref was out of the scraper's scope."""
    name = main_branch(history) or ""
    return history.ref_tips.get(f"refs/{name}" if name.startswith("remotes/") else f"refs/heads/{name}", "")


def _records(blocks: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Some at a time."""
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\0")
        yield whole
    if rest:
        yield [rest]


def _message(sha: bytes, at: bytes, text: bytes, declared: bytes) -> CommitMessage:
    """As the scraper reads it."""
    (message,), *_ = texts_of([with_line_feeds(text)], declared.decode(errors="replace"))
    subject, _, body = message.strip("\n").partition("\n")
    return CommitMessage(sha.decode(), int(at), subject, body.strip("\n"))
