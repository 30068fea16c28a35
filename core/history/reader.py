"""Commits with their file changes, in order, by several workers with bounded memory.

A worker is a thread that drives git processes of its own; runs of commits are handed out ahead
and taken back in order, so that what comes out does not depend on how many there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from core.git.commands import decode
from core.history import patch_ids
from core.history.changes import Change, Spool
from core.history.filters import CommitScope
from core.history.options import ReadOptions
from core.history.overlay import Overlay
from core.history.patches import Differ
from core.history.walk import Walked, entries, walk
from core.records.commits import CommitMetadata

WINDOW_COMMITS = 500
WALKS_AHEAD = 2
WINDOW_CHANGES = 4000
BATCH_CHANGES = 1000
HORIZON_WINDOWS, HORIZON_CHANGES = 4, 8000
"""Windows in which a repeated change is found again: merges mostly repeat what is recent."""


@dataclass(slots=True)
class ReadCommit:
    """One commit as read. With `excluded` set it is outside the scope, and has no changes."""

    metadata: CommitMetadata
    changes: list[Change] = field(default_factory=list)
    excluded: str | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    """File changes outside the scope, by reason."""

    def diffs(self) -> Iterator[bytes]:
        """Its FileDiff records as JSON, one at a time."""
        return (change.record for change in self.changes)


class _Window:
    """Some commits in a row, on their way."""

    def __init__(self, overlay: Overlay) -> None:
        self.spool = Spool(overlay.git_dir)
        self.commits: list[ReadCommit] = []
        self.new: list[Change] = []
        self.work: list[Future[None]] = []


class Reader:
    """Reads commits of one repository; the overlay must stay open meanwhile."""

    def __init__(self, overlay: Overlay, options: ReadOptions, filters: CommitScope, workers: int) -> None:
        self._overlay, self._options, self._filters = overlay, options, filters
        self._workers = max(workers, 1)
        self._known: dict[bytes, Change] = {}
        self._recent: deque[_Window] = deque()
        """Windows whose changes are in `_known`, oldest first."""

    def read(self, hashes: Iterable[str]) -> Generator[ReadCommit, None, None]:
        """These commits in this order. A commit's `diffs` must be taken before the next commit is."""
        source = iter(hashes)
        walks: deque[Future[list[Walked]]] = deque()
        windows: deque[_Window] = deque()
        finished: deque[Spool] = deque()
        walker = ThreadPoolExecutor(1, thread_name_prefix="walker")
        differ = Differ(self._overlay, self._options, self._workers)
        try:
            while True:
                while len(walks) < WALKS_AHEAD and (some := list(islice(source, WINDOW_COMMITS))):
                    walks.append(walker.submit(walk, self._overlay, some, self._options))
                if not walks and not windows:
                    break
                for window in self._plan(walks.popleft().result(), differ) if walks else ():
                    windows.append(window)
                    if len(windows) > self._workers:
                        yield from self._take_back(windows, finished)
                if not walks and windows:
                    yield from self._take_back(windows, finished)
        finally:
            walker.shutdown(wait=False, cancel_futures=True)
            differ.close()
            walker.shutdown()
            for spool in (*finished, *(window.spool for window in windows)):
                spool.close()

    @staticmethod
    def _take_back(windows: deque[_Window], finished: deque[Spool]) -> Iterator[ReadCommit]:
        """The commits of the first window, when its changes are done."""
        window = windows.popleft()
        finished.append(window.spool)
        for work in window.work:
            work.result()
        yield from (_with_totals(commit) for commit in window.commits)
        window.commits = []
        if len(finished) > HORIZON_WINDOWS:  # no later window can refer to it any more
            finished.popleft().close()

    def _plan(self, walked: list[Walked], differ: Differ) -> Iterator[_Window]:
        """Choose what is in scope; a window is full with its commits, or with many changes."""
        window = _Window(self._overlay)
        for one in walked:
            if len(window.new) > WINDOW_CHANGES:
                yield self._hand_out(window, differ)
                window = _Window(self._overlay)
            meta = one.metadata
            person = f"{meta.author} <{meta.author_email}>"
            commit = ReadCommit(meta, excluded=self._filters.against_author(person, is_bot=meta.is_bot))
            if self._options.pseudonyms:  # after the filters, which know people by their addresses
                self._options.pseudonyms.redact(meta)
            window.commits.append(commit)
            if not commit.excluded:
                self._add_changes(commit, entries(one.raw), window)
        yield self._hand_out(window, differ)

    def _hand_out(self, window: _Window, differ: Differ) -> _Window:
        """Give the changes that were not met lately to the workers."""
        for start in range(0, len(window.new), BATCH_CHANGES):
            batch = window.new[start : start + BATCH_CHANGES]
            window.work.append(differ.submit(batch))
        self._recent.append(window)
        while len(self._recent) > HORIZON_WINDOWS or sum(len(one.new) for one in self._recent) > HORIZON_CHANGES:
            for change in self._recent.popleft().new:
                self._known.pop(change.entry, None)
        return window

    def _add_changes(self, commit: ReadCommit, listed: list[bytes], window: _Window) -> None:
        for entry in _without_missing_trees(listed, self._overlay):
            # Of a folder that is missing nobody knows what changed in it, so it stays.
            if self._filters.by_path and not entry.startswith(b":040000") and (reason := self._against(entry)):
                commit.left_out[reason] = commit.left_out.get(reason, 0) + 1
                continue
            change = self._known.get(entry)
            if change is None:
                change = self._known[entry] = Change(entry, window.spool)
                window.new.append(change)
            commit.changes.append(change)
        if commit.left_out and not commit.changes:
            commit.excluded = "commits without a file in scope"

    def _against(self, entry: bytes) -> str | None:
        return self._filters.against_file(*(decode(path)[0] for path in entry.split(b"\0")[1:]))


def _with_totals(commit: ReadCommit) -> ReadCommit:
    meta = commit.metadata
    meta.files_changed = len(commit.changes)
    parts = 0
    for change in commit.changes:
        meta.insertions += change.diff.additions
        meta.deletions += change.diff.deletions
        parts += change.patch_part
    meta.patch_id = patch_ids.of_commit(parts)
    return commit


def _without_missing_trees(listed: list[bytes], overlay: Overlay) -> list[bytes]:
    """Entries below a folder whose tree is missing say nothing true; one entry for the folder replaces them."""
    if not overlay.has_missing_trees:
        return listed
    lost: dict[bytes, list[bytes]] = {}
    for entry in listed:
        status, path = entry.split(b"\0")[::2] if entry.count(b"\0") == 2 else entry.split(b"\0")
        folder, _, name = path.rpartition(b"/")
        if tree := overlay.placeholder_of(name):
            sides = lost.setdefault(folder, [b"", b""])
            sides[status.split(b" ")[1] != b"000000"] = tree
    if not lost:
        return listed
    kept = []
    for entry in listed:
        status, *paths = entry.split(b"\0")
        outside = [path for path in paths if not any(_below(path, folder) for folder in lost)]
        if len(outside) == len(paths):
            kept.append(entry)
        elif outside:  # a rename into or out of the unknown: one half of it is left
            modes_and_ids = status[1:].split(b" ")
            side = int(outside[0] == paths[-1])
            none = [b"000000", b"0" * len(modes_and_ids[2])]
            mode, id_ = modes_and_ids[side], modes_and_ids[2 + side]
            fields = [none[0], mode, none[1], id_, b"A"] if side else [mode, none[0], id_, none[1], b"D"]
            kept.append(b":" + b" ".join(fields) + b"\0" + outside[0])
    for folder, (old, new) in lost.items():
        zeros = b"0" * len(old or new)
        kept.append(b":040000 040000 %s %s M\0%s" % (old or zeros, new or zeros, folder or b"."))
    return kept


def _below(path: bytes, folder: bytes) -> bool:
    return not folder or path.startswith(folder + b"/")
