"""Commits as they are kept: runs of them, each as arrays in one piece of bytes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import msgspec
import numpy as np

from core.git.raw_log import LoggedCommit
from core.ranking.history import ADDED, DELETED, MODIFIED, RENAMED, Commits
from core.ranking.terms import number, words

MAX_CHANGES = 2000
"""Changed files of a commit that are kept; of one that changed more, the renames alone."""
_KINDS = {"A": ADDED, "C": ADDED, "D": DELETED, "R": RENAMED}
_END = "\0"


@dataclass(frozen=True)
class Segment:
    """A run of commits. Arrays hold 32-bit numbers, `times` 64; numbers count from the first segment on."""

    hashes: str
    parent_counts: bytes
    parents: bytes
    times: bytes
    authors: bytes
    author_names: str
    """Those that are new in this segment; each followed by a NUL, as in `titles` and `paths`."""
    titles: str
    word_counts: bytes
    words: bytes
    change_counts: bytes
    change_paths: bytes
    change_kinds: bytes
    renames: bytes
    """Pairs: the number of a change, the old path."""
    paths: str

    def as_bytes(self) -> bytes:
        """The segment, to keep."""
        return msgspec.msgpack.encode([getattr(self, field.name) for field in fields(self)])

    @classmethod
    def from_bytes(cls, data: bytes) -> Segment:
        """The segment that `as_bytes` wrote."""
        return cls(*msgspec.msgpack.decode(data))

    def commits(self) -> Commits:
        """What a ranking works with. Only of a segment that is the first, and the only one."""
        hashes = _names(self.hashes)
        parent_ends = itertools.accumulate(np.frombuffer(self.parent_counts, np.int32).tolist(), initial=0)
        parents = np.frombuffer(self.parents, np.int32).tolist()
        renames = np.frombuffer(self.renames, np.int32).reshape(-1, 2).tolist()
        return Commits(
            hashes,
            [parents[start:end] for start, end in itertools.pairwise(parent_ends)],
            np.frombuffer(self.times, np.int64),
            np.frombuffer(self.authors, np.int32),
            _names(self.author_names),
            _names(self.titles),
            _offsets(self.word_counts),
            np.frombuffer(self.words, np.uint32),
            _offsets(self.change_counts),
            np.frombuffer(self.change_paths, np.int32),
            np.frombuffer(self.change_kinds, np.uint8),
            {change: path for change, path in renames},  # noqa: C416 - pairs are lists
            _names(self.paths),
        )


def joined(segments: Sequence[Segment]) -> Segment:
    """Several as one."""
    empty: dict[str, str | bytes] = {field.name: "" if field.type == "str" else b"" for field in fields(Segment)}
    return Segment(
        *(
            nothing[:0].join(getattr(segment, name) for segment in segments)  # type: ignore[arg-type]
            for name, nothing in empty.items()
        )
    )


def segment_of(new: Sequence[LoggedCommit], known: Commits) -> Segment:
    """Commits, parents first, as the segment that follows `known`."""
    numbers = dict(known.numbers)
    times = dict(enumerate(known.times.tolist()))
    authors = {name: number for number, name in enumerate(known.author_names)}
    paths = dict(known.path_numbers)
    first_author, first_path = len(authors), len(paths)
    parent_counts, parents, author_numbers = [], [], []
    word_counts, terms, change_counts, change_paths, change_kinds, renames = [], [], [], [], [], []
    change = len(known.change_paths)
    for commit in new:
        its_parents = [numbers[parent] for parent in commit.parents if parent in numbers]
        numbers[commit.hash] = here = len(numbers)
        times[here] = max([commit.time, *(times[parent] + 1 for parent in its_parents)])
        parent_counts.append(len(its_parents))
        parents += its_parents
        author_numbers.append(authors.setdefault(commit.author, len(authors)))
        title = [number(word) for word in words(commit.title)]
        word_counts.append(len(title))
        terms += title
        changes = commit.changes
        if len(changes) > MAX_CHANGES:
            changes = [change for change in changes if change[0] == "R"]
        change_counts.append(len(changes))
        for status, path, old in changes:
            change_paths.append(paths.setdefault(path, len(paths)))
            change_kinds.append(_KINDS.get(status, MODIFIED))
            if status == "R":
                renames += [change, paths.setdefault(old, len(paths))]
            change += 1
    return Segment(
        hashes=_text(commit.hash for commit in new),
        parent_counts=_bytes(parent_counts),
        parents=_bytes(parents),
        times=_bytes([times[numbers[commit.hash]] for commit in new], np.int64),
        authors=_bytes(author_numbers),
        author_names=_text(list(authors)[first_author:]),
        titles=_text(commit.title for commit in new),
        word_counts=_bytes(word_counts),
        words=_bytes(terms, np.uint32),
        change_counts=_bytes(change_counts),
        change_paths=_bytes(change_paths),
        change_kinds=_bytes(change_kinds, np.uint8),
        renames=_bytes(renames),
        paths=_text(list(paths)[first_path:]),
    )


def _text(names: Iterable[str]) -> str:
    return "".join(name + _END for name in names)


def _names(text: str) -> list[str]:
    return text.split(_END)[:-1]


def _bytes(values: Sequence[int], kind: type[np.generic] = np.int32) -> bytes:
    return np.array(values, kind).tobytes()


def _offsets(counts: bytes) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.concatenate([[0], np.cumsum(np.frombuffer(counts, np.int32))]).astype(np.int32)
