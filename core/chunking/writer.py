"""chunks.jsonl and chunks.index, put together from pieces in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from core.chunking.segments import INDEX_VERSION, IndexEntry, IndexHead, encode_entries
from core.records.commit_files import copy_range

_ROOM = 64
"""Bytes of the index's first line, which is known last."""


class ChunkFile:
    """Both files while they are written."""

    def __init__(self, chunks: Path, index: Path) -> None:
        self._paths = chunks, index
        self._size = 0

    def __enter__(self) -> ChunkFile:
        self._chunks, self._index = (path.open("wb") for path in self._paths)
        self._index.write(b" " * (_ROOM - 1) + b"\n")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None:
            head = msgspec.json.encode(IndexHead(INDEX_VERSION, self._size))
            self._index.seek(0)
            self._index.write(head)
        self._chunks.close()
        self._index.close()

    def copy(self, source: Path, start: int, end: int, entries: Sequence[IndexEntry]) -> None:
        """Add a range of another chunks.jsonl."""
        with source.open("rb") as file:
            copy_range(file, self._chunks, start, end - start)
        self._size += end - start
        self._index.writelines(encode_entries(entries))

    def take(self, part: Path, entries: Sequence[IndexEntry]) -> None:
        """Add a finished segment; its part stays for the case that this run is killed."""
        self.copy(part, 0, part.stat().st_size, entries)
