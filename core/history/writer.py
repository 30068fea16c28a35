"""commits.json from an order of commits: what an earlier file holds is copied, the rest is read from the repository."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec

from core.errors import UserError
from core.history.index import NO_PATCH_ID, HistoryTotals, Index, KnownCommits, Rows
from core.history.reader import ReadCommit, Reader
from core.history.snapshot import Order, Snapshot
from core.history.walk import iso
from core.progress import Progress
from core.records.commit_files import CommitWriter, Placement, placement_of
from core.records.commits import BranchRef, Commit, CommitContext, DateRange, HistoryMetadata, branch_names

CHECKPOINT_S = 30.0
_PIECE_ROWS = 512


@dataclass(frozen=True)
class EarlierHistory:
    """An earlier commits.json, or the part of one that a killed run got to."""

    path: Path
    index: Index


def load_earlier(path: Path, index_path: Path) -> EarlierHistory | None:
    """The file with its index; None where one of them is missing or too short."""
    index = Index.load(index_path)
    if index is None or not path.is_file() or path.stat().st_size < index.end:
        return None
    return EarlierHistory(path, index)


@dataclass(frozen=True)
class Written:
    """A finished commits.json."""

    metadata: HistoryMetadata
    index: Index
    totals: HistoryTotals
    reused: int
    """Commits copied from the earlier file."""
    repeats: int
    """Commits that repeat an earlier patch."""


def nothing_in_scope(place: str, left_out: Mapping[str, int]) -> UserError:
    """The error for a scope that no commit is in."""
    listed = ", ".join(f"{number:,} {reason}" for reason, number in left_out.items())
    return UserError(f"no commit of {place} is in scope: {listed}", "widen the scope in git_scraper")


class HistoryWriter:
    """Writes one commits.json; use as a context manager."""

    def __init__(
        self,
        path: Path,
        metadata: HistoryMetadata,
        snapshot: Snapshot,
        order: Order,
        *,
        key_check: str = "",
        expand_branches: bool = False,
    ) -> None:
        """`metadata` is complete but for its figures; `key_check` that of the key with which addresses are redacted."""
        self._path, self._metadata = path, metadata
        self._snapshot, self._order, self._expand = snapshot, order, expand_branches
        self._rows = Rows(order.width)
        self._totals = HistoryTotals()
        self._left_out = Counter(order.left_out)
        """Commits outside the scope, by reason."""
        self._key_check = key_check
        self._reused = 0
        self._changed_tags: set[str] = set()
        """Commits with other tags than in the earlier file."""
        self._sound = (0, 0)
        """(rows, end of the last line) of what is whole: an interrupt may fall into the middle of a line."""
        self._open = ExitStack()
        self._saved = time.monotonic()

    def __enter__(self) -> HistoryWriter:
        self._out = self._open.enter_context(CommitWriter(self._path, self._metadata))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error and self._sound[0]:
            with contextlib.suppress(OSError, ValueError):  # a full disk, say
                self._save_checkpoint()
        self._open.close()

    def write(self, reader: Reader, earlier: EarlierHistory | None, progress: Progress) -> None:
        """Write every commit of the order."""
        index = earlier.index if earlier else None
        match = KnownCommits(self._order, index)
        stretches = _Stretches(self._order, match, index.incomplete if index else [])
        if index:
            old, new = index.tags, self._snapshot.tags
            self._changed_tags = {hash_ for hash_ in (*old, *new) if old.get(hash_) != new.get(hash_)}
        reading = reader.read(self._order.hash(number) for number in stretches.new())
        self._open.enter_context(closing(reading))
        source = self._open.enter_context(earlier.path.open("rb")) if earlier else None
        if earlier and source and earlier.index.totals:
            self._totals = earlier.index.totals
            for row in sorted({*match.gone, *stretches.again}):
                commit = msgspec.json.decode(_line(source, earlier.index, row), type=Commit)
                self._totals.add(commit.metadata, commit.diffs, commit.context.left_out, sign=-1)
        for first, last, kept_from in stretches:
            if kept_from is None:
                for number in range(first, last):
                    self._write(next(reading), number)
                    self._sound = (len(self._rows), self._out.end)
                    progress.advance()
                    self._checkpoint()
            elif earlier and source:
                for start in range(first, last, _PIECE_ROWS):
                    self._reuse(start, min(start + _PIECE_ROWS, last), kept_from + start - first, earlier, source)
                    self._sound = (len(self._rows), self._out.end)
                progress.advance(last - first)

    def finish(self) -> Written:
        """Write the metadata with its figures. Raises UserError where no commit was in scope."""
        rows, totals, metadata = self._rows, self._totals, self._metadata
        if not rows:
            raise nothing_in_scope(metadata.repository, self._left_out)
        metadata.total_commits = len(rows)
        metadata.total_authors = len(totals.authors)
        metadata.merge_commits = totals.merges
        metadata.total_files_touched = len(totals.files)
        metadata.total_insertions, metadata.total_deletions = totals.insertions, totals.deletions
        metadata.missing_file_changes = totals.missing
        metadata.left_out = dict(sorted({**self._left_out, **totals.left_out}.items()))
        metadata.date_range = DateRange(iso(min(rows.times)), iso(max(rows.times)))
        self._out.finish(metadata)
        repeats = sum(row >= 0 for row in rows.originals)
        return Written(metadata, self._index(totals), totals, self._reused, repeats)

    def _write(self, commit: ReadCommit, number: int) -> None:
        if commit.excluded:
            self._left_out[commit.excluded] += 1
            return
        meta = commit.metadata
        patch_id = bytes.fromhex(meta.patch_id) if meta.patch_id else NO_PATCH_ID
        meta.branch_set = self._order.sets[number]
        context = CommitContext(
            is_merge=meta.is_merge,
            has_tags=False,
            file_count=meta.files_changed,
            total_lines_changed=meta.insertions + meta.deletions,
            left_out=commit.left_out,
        )
        diffs = [change.diff for change in commit.changes]
        self._totals.add(meta, diffs, commit.left_out)
        if any(diff.missing for diff in diffs):
            self._rows.incomplete.append(len(self._rows))
        placement = self._placement(meta.hash, number, patch_id, context)
        start = self._out.write(meta, commit.diffs(), placement)
        self._rows.append(bytes.fromhex(meta.hash), start, meta.branch_set, patch_id, meta.timestamp_unix)

    def _reuse(self, first: int, last: int, row: int, earlier: EarlierHistory, source: IO[bytes]) -> None:
        """Copy commits `first` to `last` of the order, which are in the earlier file from `row` on."""
        index = earlier.index
        count = last - first
        self._reused += count
        untouched = self._reused - count == len(self._rows) == row  # up to here both files are the same
        sets = self._order.sets[first:last].tobytes()
        if (
            untouched
            and index.totals
            and sets == index.sets[row * 4 : (row + count) * 4]
            and not self._expand  # branch names may have changed while the numbers of their sets did not
            and not any(self._tags_differ(index, one) for one in range(row, row + count))
        ):
            start, end = index.span(row, row + count)
            self._rows.extend(index, row, row + count, self._out.copy(source, start, end) - start)
            return
        for number in range(first, last):
            own = row + number - first
            line = _line(source, index, own)
            patch_id = index.patch_id(own)
            context = placement_of(line).context
            if not index.totals:
                commit = msgspec.json.decode(line, type=Commit)
                self._totals.add(commit.metadata, commit.diffs, context.left_out)
            hash_ = index.hash(own)
            placement = self._placement(hash_.hex(), number, patch_id, context)
            at = self._out.write_again(line, self._order.sets[number], placement)
            self._rows.append(hash_, at, self._order.sets[number], patch_id, index.time(own))

    def _tags_differ(self, index: Index, row: int) -> bool:
        return bool(self._changed_tags) and index.hash(row).hex() in self._changed_tags

    def _placement(self, hash_: str, number: int, patch_id: bytes, context: CommitContext) -> Placement:
        tags = self._snapshot.tags.get(hash_, [])
        original = self._rows.original_of(patch_id)
        context.has_tags = bool(tags)
        placement = Placement(
            tags=tags,
            commit_number=len(self._rows),
            context=context,
            duplicate_of=self._rows.hash(original) if original >= 0 else None,
        )
        if self._expand:
            mask = self._order.masks[self._order.sets[number]]
            placement.branches = [
                BranchRef(
                    branch_name=name.removeprefix("remotes/"),
                    is_current=name == self._snapshot.current,
                    is_remote=name.startswith("remotes/"),
                )
                for name in branch_names(self._snapshot.branches, mask)
            ]
        return placement

    def _checkpoint(self) -> None:
        if time.monotonic() - self._saved > CHECKPOINT_S:
            self._save_checkpoint()
            self._saved = time.monotonic()

    def _save_checkpoint(self) -> None:
        self._out.flush()
        # No totals: those at hand may count commits of the earlier file that are still to be copied.
        self._index(None).save(self._path.with_suffix(".index"))

    def _index(self, totals: HistoryTotals | None) -> Index:
        index = self._rows.index(*self._sound, self._snapshot.tags, totals)
        index.key_check = self._key_check
        return index


class _Stretches:
    """The order cut into stretches: (first, last, row of the first in the earlier file or None for new ones)."""

    def __init__(self, order: Order, match: KnownCommits, incomplete: list[int]) -> None:
        self._stretches: list[tuple[int, int, int | None]] = []
        self.again: list[int] = []
        """Rows that are read again, since something was missing then."""
        stale = set(incomplete)
        number = 0
        for row in sorted(row for row in stale if row < match.prefix):
            self._add(number, row, number)
            self._add(row, row + 1, None)
            self.again.append(row)
            number = row + 1
        self._add(number, match.prefix, number)
        for number in range(match.prefix, len(order)):
            found = match.row(number, order.hashes[number * order.width : (number + 1) * order.width])
            if found in stale and found is not None:
                self.again.append(found)
                found = None
            self._add(number, number + 1, found)

    def __iter__(self) -> Iterator[tuple[int, int, int | None]]:
        return iter(self._stretches)

    def new(self) -> Iterator[int]:
        """Every commit of the order that is to be read."""
        return (number for first, last, row in self._stretches if row is None for number in range(first, last))

    def _add(self, first: int, last: int, row: int | None) -> None:
        if first == last:
            return
        if self._stretches:
            before, until, at = self._stretches[-1]
            follows = at is None if row is None else at is not None and row == at + until - before
            if until == first and follows:
                self._stretches[-1] = (before, last, at)
                return
        self._stretches.append((first, last, row))


def _line(source: IO[bytes], index: Index, row: int) -> bytes:
    start, end = index.span(row, row + 1)
    source.seek(start)
    return source.read(end - start)
