"""What is shown in the place of invented code: the code that a task is about, and the nearest change of the past.

Both are quoted from the repository, with the commit and the lines where they stand, so they can be looked up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.chunking.segments import Settings
from core.git.blobs import BlobReader
from core.git.repositories import Repository
from core.history.options import ReadOptions
from core.history.recent import recent_commits
from core.ranking.features import Similar
from core.ranking.file_history import CommitFacts
from core.ranking.history import WIDE_COMMIT
from core.ranking.query import Query
from core.ranking.ranker import FileRanking
from core.ranking.snapshot import Snapshot
from core.ranking.symbols import RankedSymbol, Symbol
from core.ranking.terms import words
from core.records.chunks import Chunk
from core.text.redaction import Redactor

MOST_LINES = 40
"""Lines of code, and of a patch, that are shown."""
MOST_WIDTH = 200
"""Characters of a line."""
_MOST_COMMITS = 20
"""Similar past commits among which one that changed the same file is looked for."""


@dataclass(frozen=True)
class CodeNow:
    """The code of a symbol as it is."""

    path: str
    symbol: str
    lines: tuple[int, int]
    """First and last line of the symbol, 1-based."""
    code: str
    """Its first lines, with credentials masked."""
    lines_left_out: int = 0


@dataclass(frozen=True)
class PastChange(CommitFacts):
    """What a past commit with a similar task did, at best to the same symbol."""

    path: str
    symbol: str
    change_type: str
    patch: str
    """Its first lines, with credentials masked."""
    lines_left_out: int = 0


@dataclass(frozen=True)
class Evidence:
    """`code` of the symbol that most likely changes, and the nearest `past` change; None where there is none."""

    code: CodeNow | None = None
    past: PastChange | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def in_words(self) -> list[str]:
        """Lines for people."""
        lines: list[str] = []
        if self.code:
            first, last = self.code.lines
            lines += [f"the code now: {self.code.symbol} in {self.code.path}:{first}-{last}"]
            lines += _quoted(self.code.code, self.code.lines_left_out)
        if self.past:
            what = f"{self.past.symbol} in {self.past.path}" if self.past.symbol else self.past.path
            lines += [f"the nearest past change: {what}"]
            lines += [f"  {self.past.commit[:10]} {self.past.date} {self.past.author}: {self.past.title}"]
            lines += _quoted(self.past.patch, self.past.lines_left_out)
        return lines


def evidence_of(
    repository: Repository,
    cache_dir: Path,
    snapshot: Snapshot,
    task: str,
    ranking: FileRanking,
    symbols: Sequence[RankedSymbol],
    parsed: Mapping[str, Sequence[Symbol]],
) -> Evidence:
    """The code of the first of the ranked symbols, and what the past commit nearest to the task did there."""
    redactor = Redactor()
    first = symbols[0] if symbols else None
    found = next((one for one in parsed.get(first.path, ()) if one.name == first.name), None) if first else None
    path = first.path if first else next((file.name for file in ranking.files if not file.new), "")
    number = nearest_commit(snapshot, task, path)
    past = None
    if number is not None:
        with BlobReader(repository.git_dir) as blobs:
            chunks = chunks_of(repository, cache_dir, blobs, snapshot.past.commits.hashes[number], path)
        if chosen := nearest_chunk(chunks, path, first.name if first else "", task):
            past = _past_change(CommitFacts.of(snapshot.past.commits, number), chosen, redactor)
    return Evidence(code=_code_now(found, redactor) if found else None, past=past)


def nearest_commit(snapshot: Snapshot, task: str, path: str) -> int | None:
    """Number of the past commit whose message is most like the task, among those that changed the file if any did."""
    past = snapshot.past
    similar = Similar.to(snapshot, words(Query(task).title)).best(_MOST_COMMITS)
    places = [place for place in similar if past.sizes[place] <= WIDE_COMMIT]
    number = past.commits.path_numbers.get(path)
    changes = past.files == past.same[number] if number is not None else np.zeros(len(past.files), bool)
    of_file = set(past.change_commits[changes].tolist())
    chosen = next(iter([*(place for place in places if place in of_file), *places]), None)
    return None if chosen is None else int(past.order[chosen])


def chunks_of(repository: Repository, cache_dir: Path, blobs: BlobReader, commit: str, path: str) -> list[Chunk]:
    """What a commit did to a file, symbol by symbol; what it did at all, where it left that file alone."""
    chunker = Settings.of({}, repository.git_dir).chunker(blobs)
    options = ReadOptions.of({}, repository.git_dir, cache_dir)
    found: list[Chunk] = []
    for one in recent_commits(repository, options, commit, last=1):
        there = [diff for diff in one.diffs if diff.filename == path]
        one.diffs = there or one.diffs
        found += chunker.chunks(one)
    return found


def nearest_chunk(chunks: Sequence[Chunk], path: str, symbol: str, task: str) -> Chunk | None:
    """The change of the same symbol, else one of the same file, else of another; with the most words of the task."""
    asked = set(words(task))

    def likeness(chunk: Chunk) -> tuple[bool, bool, int, int]:
        here = chunk.file_path == path
        shared = len(asked & set(words(f"{chunk.qualified_name} {chunk.patch}")))
        return here and chunk.qualified_name == symbol, here, shared, -len(chunk.patch)

    return max((chunk for chunk in chunks if chunk.patch), key=likeness, default=None)


def _code_now(symbol: Symbol, redactor: Redactor) -> CodeNow:
    code, left_out = _cut(symbol.code, redactor)
    return CodeNow(symbol.path, symbol.name, symbol.lines, code, left_out)


def _past_change(commit: CommitFacts, chunk: Chunk, redactor: Redactor) -> PastChange:
    patch, left_out = _cut(chunk.patch, redactor)
    name = chunk.qualified_name or ""
    return PastChange(
        **vars(commit),
        path=chunk.file_path,
        symbol=name,
        change_type=chunk.change_type,
        patch=patch,
        lines_left_out=left_out,
    )


def _cut(text: str, redactor: Redactor) -> tuple[str, int]:
    """The first lines of a text with masks, and how many there are more."""
    # Masking takes time for each character, so no more is masked than can be shown.
    lines = redactor.masked(text, MOST_LINES * MOST_WIDTH).splitlines()[:MOST_LINES]
    return "\n".join(line[:MOST_WIDTH] for line in lines), max(len(text.splitlines()) - len(lines), 0)


def _quoted(text: str, left_out: int) -> list[str]:
    more = [f"  … {left_out} more lines"] if left_out else []
    return [*(f"  {line}" for line in text.splitlines()), *more]
