"""commits.json, written and read as a stream.

commits.json is one valid JSON document laid out so that every commit has a line to itself; no
stage ever holds a whole history in memory.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec

from core.errors import StageError, UserError
from core.records.commits import BranchRef, Commit, CommitContext, CommitMetadata, HistoryMetadata
from core.records.lines import DAMAGED, check_version, decode

_HEAD, _MIDDLE, _TAIL = b'{"metadata":', b',"commits":[\n', b"\n]}\n"
SEPARATOR = b",\n"
# No string inside a record can look like these, since its quotes are escaped.
_DIFFS, _PLACEMENT = b',"diffs":[', b'],"tags":['
_ROOM_FOR_FIGURES = 1024
_COMMIT = msgspec.json.Decoder(Commit)
_COPY_BYTES = 1 << 20
_DAMAGED = "the file is damaged; make it again"


class Placement(msgspec.Struct, kw_only=True):
    """The part of a commit's line about its place in the history: all that a refresh may have to change."""

    tags: list[str]
    commit_number: int
    context: CommitContext
    duplicate_of: str | None
    branches: list[BranchRef] | msgspec.UnsetType = msgspec.UNSET
    repository: str | msgspec.UnsetType = msgspec.UNSET
    """Only where the file holds the commits of several."""


class CommitWriter:
    """Writes commits.json from front to back; its metadata is known last and goes into room kept for it."""

    def __init__(self, path: Path, metadata: HistoryMetadata) -> None:
        """`metadata` is complete but for its figures."""
        self._path = path
        self._encoder = msgspec.json.Encoder()
        self._room = len(self._encoder.encode(metadata)) + _ROOM_FOR_FIGURES
        self._lines = 0
        self.end = 0
        """Offset of what is written next."""

    def __enter__(self) -> CommitWriter:
        self._file = self._path.open("wb", buffering=_COPY_BYTES)
        self._put(_HEAD + b" " * self._room + _MIDDLE)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def write(self, metadata: CommitMetadata, diffs: Iterable[bytes], placement: Placement) -> int:
        """Add a commit, whose diffs are JSON already; the offset of its line."""
        start = self._next_line()
        pieces = [b'{"metadata":', self._encoder.encode(metadata), _DIFFS]
        size = 0
        comma = False
        for diff in diffs:
            pieces += (b",", diff) if comma else (diff,)
            comma = True
            size += len(diff)
            if size > _COPY_BYTES:
                self._put(b"".join(pieces))
                pieces, size = [], 0
        self._put(b"".join((*pieces, b"],", self._encoder.encode(placement)[1:])))
        return start

    def copy(self, source: IO[bytes], start: int, end: int) -> int:
        """Add whole lines of another commits.json as they are; the offset of the first."""
        own = self._next_line()
        self._file.flush()
        copy_range(source, self._file, start, end - start)
        self._file.seek(0, os.SEEK_END)
        self.end += end - start
        return own

    def write_again(self, line: bytes, branch_set: int, placement: Placement) -> int:
        """Add a line of another commits.json with a new place; the offset of the line."""
        start = self._next_line()
        middle, tail = line.index(_DIFFS), line.rindex(_PLACEMENT)
        own_set = line.rindex(b":", 0, middle) + 1  # the last key of the metadata
        self._put(line[:own_set] + b"%d}" % branch_set + line[middle:tail])
        self._put(b"]," + self._encoder.encode(placement)[1:])
        return start

    def flush(self) -> None:
        """Hand everything to the system, so that it survives a kill."""
        self._file.flush()

    def finish(self, metadata: HistoryMetadata) -> None:
        """Write the end and the head."""
        self._put(_TAIL)
        self._file.seek(len(_HEAD))
        encoded = self._encoder.encode(metadata)
        if len(encoded) > self._room:
            raise StageError(f"the metadata outgrew its {self._room} bytes", "this is a defect of Gitlore")
        self._file.write(encoded)
        self._file.flush()

    def _next_line(self) -> int:
        if self._lines:
            self._put(SEPARATOR)
        self._lines += 1
        return self.end

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self.end += len(data)


def copy_range(source: IO[bytes], target: IO[bytes], start: int, size: int) -> None:
    """Append bytes of one file to another, by the system where it can. Raises StageError if there are fewer."""
    in_kernel = hasattr(os, "copy_file_range")
    while size > 0:
        if in_kernel:
            try:
                done = os.copy_file_range(source.fileno(), target.fileno(), size, start)
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
                    raise
                in_kernel = False
                continue
        else:
            block = os.pread(source.fileno(), min(_COPY_BYTES, size), start)
            done = os.write(target.fileno(), block)
        if not done:
            raise StageError("the earlier commits.json is shorter than its index", "run again with --force")
        start, size = start + done, size - done


def placement_of(line: bytes) -> Placement:
    """The place that a line of commits.json names. Raises UserError if the line is damaged."""
    _, tail = _borders(line)
    try:
        return msgspec.json.decode(b"{" + line[tail + len(b"],") :], type=Placement)
    except ValueError as error:
        raise _damaged(str(error)) from None


def branch_set_of(line: bytes, sets: int) -> int:
    """The branch set that a line of commits.json names, one of so many. Raises UserError if the line is damaged."""
    middle, _ = _borders(line)
    try:
        return checked_set(int(line[line.rindex(b":", 0, middle) + 1 : middle - 1]), sets)
    except ValueError:
        raise _damaged("a line has no branch set") from None


def checked_set(number: int, sets: int) -> int:
    """The number of a branch set. Raises UserError if it is none of so many."""
    if not 0 <= number < sets:
        raise _damaged("a line names branches that are not there")
    return number


def _borders(line: bytes) -> tuple[int, int]:
    """Where the diffs begin in a commit's line, and where they end."""
    middle, tail = line.find(_DIFFS), line.rfind(_PLACEMENT)
    if not 0 < middle < tail or b":" not in line[:middle]:
        raise _damaged("a line is not laid out as git_scraper writes it")
    return middle, tail


def _damaged(what: str) -> UserError:
    return UserError(f"commits.json: {what}", _DAMAGED)


class CommitHead(msgspec.Struct):
    """What orders a commit."""

    hash: str
    parents: list[str]
    commit_timestamp: str


class _Headed(msgspec.Struct):
    metadata: CommitHead
    repository: str = ""


_HEADED = msgspec.json.Decoder(_Headed)


def commit_heads(path: Path) -> Iterator[tuple[str, CommitHead, bytes]]:
    """(repository, head, line) of each commit of commits.json. Raises UserError where the file is cut off or broken."""
    for number, (_, line) in enumerate(commit_lines(path), start=2):
        record = line.removesuffix(b"\n").removesuffix(b",")
        found = decode(_HEADED, record, path, number)
        yield found.repository, found.metadata, record


def unplaced(line: bytes) -> tuple[memoryview, memoryview]:
    """A commit's line without its place in the history, in two parts. Raises UserError if the line is damaged."""
    middle, tail = _borders(line)
    view = memoryview(line)
    return view[: line.rindex(b":", 0, middle)], view[middle:tail]


def read_history(path: Path) -> HistoryMetadata:
    """The head of commits.json. Raises UserError if the file is not a commits.json or has another version."""
    with path.open("rb") as file:
        line = file.readline()
    head, tail = line[len(_HEAD) : -len(_MIDDLE)], line[-len(_MIDDLE) :]
    if not line.startswith(_HEAD) or tail != _MIDDLE:
        raise UserError(f"{path} is not a commits.json with one commit a line", "make it with git_scraper.py")
    check_version(path, head, "git_scraper")
    history = decode(msgspec.json.Decoder(HistoryMetadata), head, path, 1)
    try:
        known = all(0 <= int(mask, 16) < 1 << len(history.branches) for mask in history.branch_sets)
    except ValueError:
        known = False
    if not known:
        raise UserError(f"{path}, line 1: `branch_sets` names branches that are not there", _DAMAGED)
    return history


def read_commits(path: Path) -> Iterator[Commit]:
    """The commits in order, one at a time. Raises UserError where the file is cut off or broken."""
    for number, (_, line) in enumerate(commit_lines(path), start=2):
        yield read_commit(line, f"{path}, line {number}")


def commit_lines(path: Path, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
    """(offset, line) of each commit, or of those between two offsets of lines.

    Raises UserError where the file is cut off.
    """
    if not start:
        read_history(path)
    with path.open("rb") as file:
        offset = file.seek(start) if start else len(file.readline())
        while end is None or offset < end:
            line = file.readline()
            if line == _TAIL[1:]:
                return
            if not line:
                raise UserError(
                    f"{path} is cut off: its last line is missing",
                    "make it again: python pipeline.py --stage git_scraper",
                )
            if line != b"\n":
                yield offset, line
            offset += len(line)


def read_commit(line: bytes, place: str) -> Commit:
    """The commit of a line of commits.json. Raises UserError, which names the `place`, where it is broken."""
    try:
        return _COMMIT.decode(line.removesuffix(b"\n").removesuffix(b","))
    except DAMAGED as error:
        raise UserError(f"{place}: {error}", _DAMAGED) from None
