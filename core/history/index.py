"""The index of a commits.json: where each commit is in it, so that a later run can reuse what still holds."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from core.files import atomic_write
from core.history.snapshot import Order
from core.records.commit_files import SEPARATOR
from core.records.commits import CommitMetadata, FileDiff
from core.records.lines import DAMAGED

INDEX_VERSION = 1
NO_PATCH_ID = bytes(20)


class HistoryTotals(msgspec.Struct):
    """Figures over the commits of a file."""

    merges: int = 0
    file_changes: int = 0
    insertions: int = 0
    deletions: int = 0
    truncated: int = 0
    not_utf8: int = 0
    wide: int = 0
    """File changes of texts in UTF-16 or UTF-32."""
    missing: int = 0
    left_out: dict[str, int] = {}
    """File changes outside the scope, by reason."""
    authors: dict[str, int] = {}
    files: dict[str, int] = {}

    def add(
        self, metadata: CommitMetadata, diffs: Iterable[FileDiff], left_out: Mapping[str, int], sign: int = 1
    ) -> None:
        """Count one more commit, or with `sign` -1 one less."""
        self.merges += sign * metadata.is_merge
        self.file_changes += sign * metadata.files_changed
        self.insertions += sign * metadata.insertions
        self.deletions += sign * metadata.deletions
        _count(self.authors, metadata.author_email, sign)
        for diff in diffs:
            _count(self.files, diff.filename, sign)
            if diff.patch_truncated or diff.missing or diff.encoding != "utf-8":
                self.truncated += sign * diff.patch_truncated
                self.not_utf8 += sign * (diff.encoding != "utf-8")
                self.missing += sign * diff.missing
            if diff.wide_encoding or diff.old_wide_encoding:
                self.wide += sign
        for reason, number in left_out.items():
            _count(self.left_out, reason, sign * number)


class Index(msgspec.Struct):
    """One row per commit of the file, in its order."""

    version: int = INDEX_VERSION
    width: int = 20
    hashes: bytes = b""
    starts: bytes = b""
    """Offset of each commit's line (uint64); `end` is that of the last line's end."""
    end: int = 0
    sets: bytes = b""
    """uint32 each."""
    patch_ids: bytes = b""
    """20 bytes each."""
    originals: bytes = b""
    """Row of the commit that this one duplicates, or -1 (int32)."""
    times: bytes = b""
    """Author dates, seconds since 1970 (int64)."""
    incomplete: list[int] = []
    """Rows of commits with missing objects, which may have turned up since."""
    tags: dict[str, list[str]] = {}
    key_check: str = ""
    """Shows whether addresses were redacted with the same key."""
    totals: HistoryTotals | None = None
    """None in the index of an unfinished file."""

    def __len__(self) -> int:
        return len(self.starts) // 8

    def hash(self, row: int) -> bytes:
        """The commit in a row."""
        return self.hashes[row * self.width : (row + 1) * self.width]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Offsets of the lines of rows first to last - 1 in the file, without the separator after them."""
        starts = memoryview(self.starts).cast("Q")
        return starts[first], starts[last] - len(SEPARATOR) if last < len(self) else self.end

    def patch_id(self, row: int) -> bytes:
        """The patch id of the commit in a row."""
        return self.patch_ids[row * 20 : row * 20 + 20]

    def time(self, row: int) -> int:
        """The author date of the commit in a row."""
        return memoryview(self.times).cast("q")[row]

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        with atomic_write(path) as file:
            file.write(msgspec.msgpack.encode(self, order="deterministic"))

    @classmethod
    def load(cls, path: Path) -> Index | None:
        """The index at a path; None where there is none that this version can read."""
        try:
            index = msgspec.msgpack.decode(path.read_bytes(), type=cls)
        except (OSError, *DAMAGED):
            return None
        return index if index.version == INDEX_VERSION else None


class Rows:
    """An index in the making."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.hashes, self.patch_ids = bytearray(), bytearray()
        self.starts, self.sets = array("Q"), array("I")
        self.originals, self.times = array("i"), array("q")
        self.incomplete: list[int] = []
        self._first: dict[bytes, int] = {}
        """The first row with each patch id."""

    def __len__(self) -> int:
        return len(self.starts)

    def original_of(self, patch_id: bytes) -> int:
        """Row of the first commit with this patch id, -1 if the next row is the first."""
        return -1 if patch_id == NO_PATCH_ID else self._first.get(patch_id, -1)

    def hash(self, row: int) -> str:
        """The commit in a row, as text."""
        return self.hashes[row * self.width : (row + 1) * self.width].hex()

    def append(self, hash_: bytes, start: int, own_set: int, patch_id: bytes, time: int) -> None:
        """Add the row of a commit whose line starts at `start`."""
        original = self.original_of(patch_id)
        row = len(self)
        self.hashes += hash_
        self.starts.append(start)
        self.sets.append(own_set)
        self.patch_ids += patch_id
        self.originals.append(original)
        self.times.append(time)
        if original < 0 and patch_id != NO_PATCH_ID:
            self._first[patch_id] = row

    def extend(self, other: Index, first: int, last: int, shift: int) -> None:
        """Copy rows that are unchanged, into a file where their lines start `shift` bytes later."""
        row = len(self)
        self.hashes += other.hashes[first * other.width : last * other.width]
        starts = array("Q", other.starts[first * 8 : last * 8])
        self.starts.extend(start + shift for start in starts) if shift else self.starts.extend(starts)
        self.sets.frombytes(other.sets[first * 4 : last * 4])
        self.originals.frombytes(other.originals[first * 4 : last * 4])
        self.times.frombytes(other.times[first * 8 : last * 8])
        self.patch_ids += other.patch_ids[first * 20 : last * 20]
        for number in range(row, len(self)):
            patch_id = bytes(self.patch_ids[number * 20 : number * 20 + 20])
            if self.originals[number] < 0 and patch_id != NO_PATCH_ID:
                self._first[patch_id] = number

    def index(self, count: int, end: int, tags: dict[str, list[str]], totals: HistoryTotals | None) -> Index:
        """The index of the first `count` rows, the last of whose lines ends at `end`."""
        return Index(
            width=self.width,
            hashes=bytes(self.hashes[: count * self.width]),
            starts=self.starts[:count].tobytes(),
            end=end,
            sets=self.sets[:count].tobytes(),
            patch_ids=bytes(self.patch_ids[: count * 20]),
            originals=self.originals[:count].tobytes(),
            times=self.times[:count].tobytes(),
            incomplete=[row for row in self.incomplete if row < count],
            tags=tags,
            totals=totals,
        )


class KnownCommits:
    """Which commits of an order an index knows already, and which of the index are gone."""

    def __init__(self, order: Order, index: Index | None) -> None:
        self.prefix = 0
        """Length of the common beginning: the first commits of both, in the same order."""
        self.gone: list[int] = []
        """Rows whose commit the order lacks."""
        self._rows: dict[bytes, int] = {}
        if index is None or not len(index) or index.width != order.width:
            return
        self.prefix = _common(order.hashes, index.hashes, order.width)
        later = {index.hash(row): row for row in range(self.prefix, len(index))}
        for number in range(self.prefix, len(order)):
            hash_ = order.hashes[number * order.width : (number + 1) * order.width]
            if hash_ in later:
                self._rows[hash_] = later.pop(hash_)
        self.gone = sorted(later.values())

    def row(self, number: int, hash_: bytes) -> int | None:
        """The row of the order's commit, None for a new one."""
        return number if number < self.prefix else self._rows.get(hash_)


def _common(one: bytes, other: bytes, width: int) -> int:
    """How many hashes two lists begin with alike."""
    most = min(len(one), len(other)) // width
    # The first length at which the beginnings differ, by bisection over "they differ".
    return bisect_left(range(1, most + 1), True, key=lambda n: one[: n * width] != other[: n * width])


def _count(counts: dict[str, int], key: str, number: int) -> None:
    counts[key] = counts.get(key, 0) + number
    if not counts[key]:
        del counts[key]
