"""A history in segments: which commits are chunked already, and the rest by several processes.

Each segment, some hundred commits, becomes a file of its own in the scratch folder; these are put
together in order. So memory does not grow with the history, any number of processes writes the
same bytes, and a killed run resumes with the segments that are there.
"""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
import sys
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Annotated, Any

import msgspec

from core.chunking.chunker import Chunker
from core.chunking.filters import FileFilters
from core.chunking.tally import Tally
from core.errors import StageError, UserError
from core.git.blobs import BlobReader
from core.git.encodings import LEAST_CONFIDENCE
from core.progress import Progress
from core.records.commit_files import branch_set_of, commit_lines, read_commit, unplaced
from core.records.lines import DAMAGED

SMALLEST_SEGMENT, LARGEST_SEGMENT = 1 << 20, 16 << 20
"""Bytes of commits.json in a segment, but for the last."""
INDEX_VERSION = 1
_POLL_S = 0.2


@dataclass(frozen=True)
class Settings:
    """All that a process needs to chunk commits; picklable."""

    git_dir: Path
    filters: dict[str, Any]
    max_code_bytes: int
    max_file_bytes: int
    min_encoding_confidence: float
    merges: bool
    branches: tuple[str, ...] = ()
    """By branch set of the history: what chunks name as their commit's branch."""

    @classmethod
    def of(cls, settings: Mapping[str, Any], git_dir: Path, branches: Sequence[str] = ()) -> Settings:
        """From the settings of semantic_chunker, as they are now or as a model recorded them; others are ignored."""
        return cls(
            git_dir=git_dir,
            filters={
                "endings": tuple(settings.get("file_filters", ())),
                "include": tuple(settings.get("include", ())),
                "exclude": tuple(settings.get("exclude", ("*.svg",))),
                "languages": tuple(settings.get("languages", ())),
                "derived": settings.get("derived_files", False),
                "max_line_bytes": settings.get("max_line_bytes", 10_000),
            },
            max_code_bytes=settings.get("max_code_bytes", 16_384),
            max_file_bytes=settings.get("max_file_bytes", 1_000_000),
            min_encoding_confidence=settings.get("min_encoding_confidence", LEAST_CONFIDENCE),
            merges=settings.get("include_merges", False),
            branches=tuple(branches),
        )

    def chunker(self, blobs: BlobReader) -> Chunker:
        """A chunker with these settings."""
        return Chunker(
            blobs,
            FileFilters(**self.filters),
            max_code_bytes=self.max_code_bytes,
            max_file_bytes=self.max_file_bytes,
            min_encoding_confidence=self.min_encoding_confidence,
            merges=self.merges,
        )


class IndexEntry(msgspec.Struct, array_like=True, gc=False):
    """What chunks.index holds of a commit, in the order of chunks.jsonl."""

    digest: str
    """Of the commit's record without its place in the history, and of its branch."""
    size: Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
    """Bytes of its chunks."""
    counts: dict[str, int]
    """Its tally."""


class IndexHead(msgspec.Struct):
    """First line of chunks.index."""

    version: int
    size: int
    """Bytes of chunks.jsonl."""


@dataclass(frozen=True)
class Segment:
    """A run of commits in commits.json, and where their chunks go."""

    commits: Path
    start: int
    end: int
    part: Path

    @property
    def index(self) -> Path:
        """The entries of its commits; there only once the part is whole."""
        return self.part.with_suffix(".index")


@dataclass(frozen=True)
class Known:
    """Chunks of an earlier run that still hold: bytes of its chunks.jsonl, and their entries."""

    start: int
    end: int
    entries: list[IndexEntry]


class EarlierChunks:
    """What an earlier run wrote."""

    def __init__(self, chunks: Path, entries: list[IndexEntry]) -> None:
        self.chunks = chunks
        self._entries = entries
        self._numbers = {entry.digest: number for number, entry in enumerate(entries)}
        self._offsets = array("Q", [0])
        for entry in entries:
            self._offsets.append(self._offsets[-1] + entry.size)

    @classmethod
    def load(cls, chunks: Path, index: Path) -> EarlierChunks | None:
        """None unless both files are there and belong together."""
        if not chunks.exists() or not index.exists():
            return None
        with index.open("rb") as file:
            try:
                head = msgspec.json.decode(file.readline(), type=IndexHead)
                if head.version != INDEX_VERSION or head.size != chunks.stat().st_size:
                    return None
                entries = list(read_entries(file.read()))
            except (*DAMAGED, UserError):
                return None
        return cls(chunks, entries) if sum(entry.size for entry in entries) == head.size else None

    def number(self, digest: str) -> int | None:
        """Position of a commit, if it was there."""
        return self._numbers.get(digest)

    def known(self, first: int, last: int) -> Known:
        """The chunks of consecutive commits."""
        return Known(self._offsets[first], self._offsets[last + 1], self._entries[first : last + 1])


def plan(
    commits: Path, scratch: Path, earlier: EarlierChunks | None, workers: int, branches: Sequence[str]
) -> Iterator[Known | Segment]:
    """The history in order: what can be copied, and what is to be chunked.

    Segments are large at first, so that few versions of files are parsed twice, and small at last,
    so that all workers end together.
    """
    total = commits.stat().st_size
    pending: _Pending | None = None
    run: tuple[int, int] | None = None
    for start, line in commit_lines(commits):
        digest = _digest(line, branches)
        number = earlier.number(digest) if earlier else None
        if number is None:
            if run and earlier:
                yield earlier.known(*run)
                run = None
            pending = pending or _Pending(commits, scratch, start)
            pending.add(start + len(line), digest)
            wanted = min(max((total - start) // (3 * workers), SMALLEST_SEGMENT), LARGEST_SEGMENT)
            if pending.size() >= wanted:
                yield pending.segment()
                pending = None
            continue
        if pending:
            yield pending.segment()
            pending = None
        if run and number == run[1] + 1:
            run = run[0], number
        else:
            if run and earlier:
                yield earlier.known(*run)
            run = number, number
    if pending:
        yield pending.segment()
    if run and earlier:
        yield earlier.known(*run)


class _Pending:
    """A segment while its commits are collected."""

    def __init__(self, commits: Path, scratch: Path, start: int) -> None:
        self._commits, self._scratch = commits, scratch
        self._start = self._end = start
        self._hash = hashlib.blake2b(digest_size=16)

    def add(self, end: int, digest: str) -> None:
        self._end = end
        self._hash.update(digest.encode())

    def size(self) -> int:
        return self._end - self._start

    def segment(self) -> Segment:
        return Segment(self._commits, self._start, self._end, self._scratch / f"{self._hash.hexdigest()}.jsonl")


def chunk_all(
    todo: Iterator[Known | Segment], settings: Settings, workers: int, progress: Progress
) -> Iterator[tuple[Known | Segment, list[IndexEntry]]]:
    """Chunk the segments, at most some ahead of what is taken; results in the order of `todo`."""
    if workers == 1:
        _rest_collector()
        with BlobReader(settings.git_dir) as blobs:
            chunker = settings.chunker(blobs)
            for item in todo:
                yield (
                    item,
                    item.entries if isinstance(item, Known) else _chunk(item, chunker, settings, progress.advance),
                )
        return
    yield from _chunk_in_processes(todo, settings, workers, progress)


def _chunk_in_processes(
    todo: Iterator[Known | Segment], settings: Settings, workers: int, progress: Progress
) -> Iterator[tuple[Known | Segment, list[IndexEntry]]]:
    # A fork saves each worker from importing everything; the only other thread waits for our parent's end.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    done = context.Value("Q", 0)  # commits chunked by all workers: progress moves within segments
    shown = 0
    waiting: deque[tuple[Known | Segment, Future[list[IndexEntry]] | None]] = deque()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(settings, done))
    try:
        while True:
            # Two segments a worker: one being chunked, one ready, and no more results in memory than that.
            while sum(future is not None for _, future in waiting) < 2 * workers and (item := next(todo, None)):
                waiting.append((item, pool.submit(_chunk_segment, item) if isinstance(item, Segment) else None))
            if not waiting:
                break
            item, future = waiting[0]
            if future:
                wait([future], timeout=_POLL_S)
            count = done.get_obj().value  # without its lock, which a killed worker may hold
            progress.advance(count - shown)
            shown = count
            if future is None or future.done():
                waiting.popleft()
                yield item, future.result() if future else item.entries  # type: ignore[union-attr]
        pool.shutdown()
    except BaseException as error:
        for child in multiprocessing.active_children():
            child.kill()
        pool.shutdown(cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise StageError(
                "a chunking process died",
                "if memory ran out, lower semantic_chunker.workers; finished segments are kept for the next run",
            ) from None
        raise


_chunker: Chunker
_settings: Settings
_done: Synchronized[int]


def _start(settings: Settings, done: Synchronized[int]) -> None:
    """Make a worker process ready."""
    global _chunker, _settings, _done
    from core.process import die_with_parent

    die_with_parent()
    _rest_collector()
    # Never closed by us: git ends when this process does, since nobody else holds its standard input.
    _chunker, _settings, _done = settings.chunker(BlobReader(settings.git_dir)), settings, done


def _rest_collector() -> None:
    """Collect cycles rarely: chunking makes none, but many objects that the collector would walk through."""
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)


def _chunk_segment(segment: Segment) -> list[IndexEntry]:
    return _chunk(segment, _chunker, _settings, _advance)


def _advance(count: int = 1) -> None:
    with _done.get_lock():
        _done.value += count


def _chunk(segment: Segment, chunker: Chunker, settings: Settings, advance: Any) -> list[IndexEntry]:
    """Write a segment's part, unless an earlier run has, and its entries."""
    if (entries := _finished(segment)) is not None:
        advance(len(entries))
        return entries
    encoder = msgspec.json.Encoder()
    entries = []
    with segment.part.open("wb", buffering=1 << 20) as out:
        for offset, line in commit_lines(segment.commits, segment.start, segment.end):
            size, counts = 0, Tally()
            commit = read_commit(line, f"{segment.commits}, byte {offset}")
            for chunk in chunker.chunks(commit, settings.branches[commit.metadata.branch_set]):
                size += out.write(encoder.encode(chunk) + b"\n")
                counts.add(chunk)
            counts.add_drops(chunker.drops, chunker.coarse)
            entries.append(IndexEntry(_digest(line, settings.branches), size, counts.nonzero()))
            chunker.drops.clear()
            chunker.coarse.clear()
            advance(1)
    # The part counts as whole once its index is there, so the index comes last and at once.
    temporary = segment.index.with_suffix(".tmp")
    temporary.write_bytes(b"".join(encode_entries(entries)))
    temporary.rename(segment.index)
    return entries


def _finished(segment: Segment) -> list[IndexEntry] | None:
    """The entries of a part that a killed run has finished."""
    try:
        entries = list(read_entries(segment.index.read_bytes()))
        size = segment.part.stat().st_size
    except (OSError, UserError):
        return None
    return entries if entries and sum(entry.size for entry in entries) == size else None


def encode_entries(entries: Iterable[IndexEntry]) -> Iterator[bytes]:
    """Entries as the lines of an index."""
    encoder = msgspec.json.Encoder()
    for entry in entries:
        yield encoder.encode(entry) + b"\n"


def read_entries(data: bytes) -> Iterator[IndexEntry]:
    """Entries from the lines of an index. Raises UserError if it is damaged."""
    decoder = msgspec.json.Decoder(IndexEntry)
    for line in data.splitlines():
        try:
            yield decoder.decode(line)
        except DAMAGED as error:
            hint = "make it again: python pipeline.py --stage semantic_chunker --force"
            raise UserError(f"chunks.index is damaged: {error}", hint) from None


def _digest(line: bytes, branches: Sequence[str]) -> str:
    hasher = hashlib.blake2b(branches[branch_set_of(line, len(branches))].encode(), digest_size=16)
    for piece in unplaced(line):
        hasher.update(piece)
    return hasher.hexdigest()
