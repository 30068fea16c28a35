"""Figures of a commit's chunks, which add up to those of a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from core.records import SCHEMA_VERSION
from core.records.chunks import Chunk

TABLES = {
    "change_type": "change_types",
    "symbol_kind": "symbol_kinds",
    "language": "languages",
    "change_category": "change_categories",
    "size": "new_code_sizes",
    "encoding": "encodings",
    "dropped": "dropped",
    "coarse": "coarse",
}
"""Counts by value: their prefix in a tally, and their name in chunking_stats.json. Chunks in UTF-8 have no encoding."""


class Tally:
    """Figures of one commit."""

    def __init__(self) -> None:
        self._counts = Counter[str]()

    def add(self, chunk: Chunk) -> None:
        """Count one more chunk."""
        counts = self._counts
        size = len(chunk.new_code.encode())
        counts["chunks"] += 1
        for name in ("change_type", "symbol_kind", "language", "change_category"):
            counts[f"{name}/{getattr(chunk, name)}"] += 1
        counts[f"size/{_size_class(size)}"] += 1
        counts["additions"] += chunk.additions
        counts["deletions"] += chunk.deletions
        counts["new_code_bytes"] += size
        counts["tests"] += chunk.is_test
        counts["renamed"] += chunk.renamed
        counts["moved"] += chunk.moved
        counts["parts"] += chunk.parts > 1
        if chunk.encoding != "utf-8":
            counts["not_utf8"] += 1
            counts[f"encoding/{chunk.encoding}"] += 1

    def add_drops(self, dropped: Mapping[str, int], coarse: Mapping[str, int]) -> None:
        """Count what was left out, and what was chunked coarsely, by reason."""
        self._counts.update({f"dropped/{reason}": number for reason, number in dropped.items()})
        self._counts.update({f"coarse/{reason}": number for reason, number in coarse.items()})

    def nonzero(self) -> dict[str, int]:
        """The figures that are not zero."""
        return {name: number for name, number in self._counts.items() if number}


class ChunkTotals:
    """Sums over the commits of a history."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.commits = self.commits_with_chunks = 0
        self.per_commit = Counter[int]()
        """Commits by the number of their chunks, as a power of two."""

    def add(self, counts: Mapping[str, int]) -> None:
        """Count one more commit."""
        self.commits += 1
        self.counts.update(counts)
        if chunks := counts.get("chunks", 0):
            self.commits_with_chunks += 1
            self.per_commit[1 << (chunks - 1).bit_length()] += 1

    def table(self, prefix: str) -> dict[str, int]:
        """Counts by value, the most frequent first."""
        own = {name.partition("/")[2]: number for name, number in self.counts.items() if name.startswith(f"{prefix}/")}
        return dict(sorted(own.items(), key=lambda item: (-item[1], item[0])))

    def as_dict(self) -> dict[str, object]:
        """chunking_stats.json."""
        chunks = self.counts["chunks"]
        tables = {name: self.table(prefix) for prefix, name in TABLES.items()}
        tables["new_code_sizes"] = dict(sorted(tables["new_code_sizes"].items(), key=lambda item: int(item[0])))
        return {
            "schema_version": SCHEMA_VERSION,
            "total_commits": self.commits,
            "commits_with_chunks": self.commits_with_chunks,
            "total_chunks": chunks,
            "chunks_per_commit": round(chunks / max(self.commits_with_chunks, 1), 2),
            "commits_by_chunks": {f"<={most}": number for most, number in sorted(self.per_commit.items())},
            **{name: self.counts[name] for name in ("additions", "deletions", "new_code_bytes")},
            **{name: self.counts[name] for name in ("tests", "renamed", "moved", "parts", "not_utf8")},
            **tables,
        }


def _size_class(size: int) -> int:
    """The power of two from which on a size of code is smaller; 0 for none."""
    return 1 << size.bit_length() if size else 0
