"""commits.json and chunks.jsonl: written and read as streams, one record a line.

commits.json is one valid JSON document laid out so that every commit has a line to itself; no
stage ever holds a whole history in memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from core.errors import UserError
from core.records import SCHEMA_VERSION, Chunk, Commit, HistoryMetadata

RecordT = TypeVar("RecordT")
_HEAD, _MIDDLE, _TAIL = b'{"metadata":', b',"commits":[\n', b"\n]}\n"
_COPY_BYTES = 1 << 20


class CommitWriter:
    """Collects commits in a body file, then writes commits.json with its metadata in front.

    The metadata (totals, date range) is known only after the last commit.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._body_path = path.with_name(path.name + ".body")
        self._encoder = msgspec.json.Encoder()
        self._first = True

    def __enter__(self) -> CommitWriter:
        self._body = self._body_path.open("wb", buffering=_COPY_BYTES)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._body.close()
        self._body_path.unlink(missing_ok=True)

    def write(self, commit: Commit) -> None:
        """Add a commit; call in the order of the file."""
        if not self._first:
            self._body.write(b",\n")
        self._first = False
        self._body.write(self._encoder.encode(commit))

    def finish(self, metadata: HistoryMetadata) -> None:
        """Write the file."""
        self._body.flush()
        with self._path.open("wb") as file, self._body_path.open("rb") as body:
            file.write(_HEAD + self._encoder.encode(metadata) + _MIDDLE)
            shutil.copyfileobj(body, file, _COPY_BYTES)
            file.write(_TAIL)


def read_history(path: Path) -> HistoryMetadata:
    """The head of commits.json. Raises UserError where the file is none of ours or of another version."""
    with path.open("rb") as file:
        line = file.readline()
    head, tail = line[len(_HEAD) : -len(_MIDDLE)], line[-len(_MIDDLE) :]
    if not line.startswith(_HEAD) or tail != _MIDDLE:
        raise UserError(f"{path} is not a commits.json with one commit a line", "make it with git_scraper.py")
    _check_version(path, head, "git_scraper")
    return _decode(msgspec.json.Decoder(HistoryMetadata), head, path, 1)


def read_commits(path: Path) -> Iterator[Commit]:
    """The commits in order, one at a time. Raises UserError where the file is cut off or broken."""
    read_history(path)
    decoder = msgspec.json.Decoder(Commit)
    with path.open("rb") as file:
        file.readline()
        for number, line in enumerate(file, start=2):
            if line == _TAIL[1:]:
                return
            if line != b"\n":
                yield _decode(decoder, line.removesuffix(b"\n").removesuffix(b","), path, number)
    raise UserError(
        f"{path} is cut off: its last line is missing", "make it again: python pipeline.py --stage git_scraper"
    )


class ChunkWriter:
    """Writes chunks.jsonl."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encoder = msgspec.json.Encoder()

    def __enter__(self) -> ChunkWriter:
        self._file = self._path.open("wb", buffering=_COPY_BYTES)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def write(self, chunk: Chunk) -> None:
        """Add a chunk; call in the order of the file."""
        self._file.write(self._encoder.encode(chunk) + b"\n")


def read_chunks(path: Path) -> Iterator[Chunk]:
    """The chunks in order, one at a time. Raises UserError on a broken line or another version."""
    decoder = msgspec.json.Decoder(Chunk)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1:
                _check_version(path, line, "semantic_chunker")
            yield _decode(decoder, line, path, number)


class _Versioned(msgspec.Struct):
    schema_version: str = "0"


def _check_version(path: Path, line: bytes, stage: str) -> None:
    try:
        version = msgspec.json.decode(line, type=_Versioned).schema_version
    except msgspec.DecodeError as error:
        raise UserError(f"{path}, line 1: {error}", f"make it again: python pipeline.py --stage {stage}") from None
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise UserError(
            f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}",
            f"make it again: python pipeline.py --stage {stage} --force",
        )


def _decode(decoder: msgspec.json.Decoder[RecordT], line: bytes, path: Path, number: int) -> RecordT:
    try:
        return decoder.decode(line)
    except msgspec.DecodeError as error:
        raise UserError(f"{path}, line {number}: {error}", "the file is damaged; make it again") from None
