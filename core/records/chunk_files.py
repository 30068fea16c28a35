"""chunks.jsonl, read as a stream: by chunk, or by commit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from core.records.chunks import Chunk
from core.records.lines import RecordT, check_version, decode

_CHUNK = msgspec.json.Decoder(Chunk)


def chunk_groups(path: Path) -> Iterator[ChunkGroup]:
    """The chunks of each commit in order, not decoded yet. Raises UserError on a broken line or another version."""
    decoder = msgspec.json.Decoder(_OfCommit)
    group = ChunkGroup("", path, 1)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1:
                check_version(path, line, "semantic_chunker")
            of_commit = decode(decoder, line, path, number)
            if (of_commit.repository, of_commit.commit_hash) != (group.repository, group.commit_hash):
                if group.lines:
                    yield group
                group = ChunkGroup(of_commit.commit_hash, path, number, of_commit.repository)
            group.lines.append(line)
            group.size += len(line)
    if group.lines:
        yield group


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
        hasher = hashlib.blake2b(digest_size=16)
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
