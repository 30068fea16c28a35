"""chunks.jsonl, read as a stream: by chunk, or by commit."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from core.records.chunks import Chunk
from core.records.lines import RecordT, check_version, decode

_BUFFER = 1 << 20
_CHUNK = msgspec.json.Decoder(Chunk)


def chunk_groups(path: Path) -> Iterator[ChunkGroup]:
    """The chunks of each commit in order, not decoded yet. Raises UserError on a broken line or another version."""
    for (repository, commit_hash), lines in itertools.groupby(_lines(path), key=lambda line: line[0]):
        group = ChunkGroup(commit_hash, path, 0, repository)
        for _, number, line in lines:
            group.first_line = group.first_line or number
            group.lines.append(line)
            group.size += len(line)
        yield group


def commit_digests(path: Path) -> Iterator[tuple[str, int]]:
    """(digest of its lines, number of its chunks) of each commit in order, a line in memory at a time.

    Raises UserError on a broken line or another version.
    """
    for _, lines in itertools.groupby(_lines(path), key=lambda line: line[0]):
        hasher, count = _hasher(), 0
        for _, _, line in lines:
            hasher.update(line)
            count += 1
        yield hasher.hexdigest(), count


def _lines(path: Path) -> Iterator[tuple[tuple[str, str], int, bytes]]:
    """((repository, commit), number, line) of each line."""
    decoder = msgspec.json.Decoder(_OfCommit)
    with path.open("rb", buffering=_BUFFER) as file:  # a line is often longer than the default
        for number, line in enumerate(file, start=1):
            if number == 1:
                check_version(path, line, "semantic_chunker")
            of_commit = decode(decoder, line, path, number)
            yield (of_commit.repository, of_commit.commit_hash), number, line


def _hasher() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16)


@dataclass
class ChunkGroup:
    """The lines of chunks.jsonl that belong to one commit."""

    commit_hash: str
    path: Path
    first_line: int
    repository: str = ""
    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    """Bytes of them all."""

    def digest(self) -> str:
        """A name for their content."""
        hasher = _hasher()
        for line in self.lines:
            hasher.update(line)
        return hasher.hexdigest()

    def chunks(self) -> list[Chunk]:
        """The lines decoded. Raises UserError on a broken one."""
        return self.decoded(_CHUNK)

    def decoded(self, decoder: msgspec.json.Decoder[RecordT]) -> list[RecordT]:
        """The lines as a decoder reads them. Raises UserError on a broken one."""
        return [decode(decoder, line, self.path, number) for number, line in enumerate(self.lines, self.first_line)]


class _OfCommit(msgspec.Struct):
    commit_hash: str
    repository: str = ""
