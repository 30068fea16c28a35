"""tokens.pt as one stream, with the positions of its commits, files, changes and code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.dataset.abouts import Abouts
from core.errors import UserError
from core.records.commit_files import commit_heads
from core.text import stream
from core.text.grammar import CODE_END, CODE_START, FILE_START
from core.text.stored_sequences import read_sequences
from core.text.stream import Positions, Range, Tokens

Ids = NDArray[np.int32]
_BLOCK = 1 << 20


@dataclass(slots=True)
class CommitTokens:
    """One commit's sequences: those from `first` up to `last`."""

    hash: str
    repository: str
    timestamp: str
    """When it was committed."""
    first: int
    last: int
    tokens: int
    parents: tuple[str, ...] = ()


@dataclass
class TokenHistory:
    """The sequences of a history. Sequence i is `ids[offsets[i]:offsets[i + 1]]`; positions are in `ids`."""

    ids: Tokens
    offsets: Positions
    abouts: Abouts
    file_starts: Positions
    """Where the sequence's file begins; -1 where an earlier sequence began it, or the sequence is empty."""
    bodies: Positions
    """Where the change begins, behind the heads of commit and file; -1 for an empty sequence."""
    codes: Positions
    """Where its code begins."""
    ends: Positions
    """Where the change ends, in front of the ends of file and commit."""

    @classmethod
    def load(cls, path: Path, markers: Mapping[str, int], size: int) -> TokenHistory:
        """Read tokens.pt. Raises UserError where it is damaged, or not of a vocabulary of this size and markers."""
        abouts = Abouts()
        stored = read_sequences(path, abouts.add)
        ids, offsets = stored.ids, stored.offsets
        lengths = np.diff(offsets)
        other = UserError(f"{path} was not made with this vocabulary", "run tokenizer again")
        for start in range(0, len(ids), _BLOCK):
            block = ids[start : start + _BLOCK]
            if not 0 <= int(block.min()) <= int(block.max()) < size:
                raise other
        found = [
            stream.first_in_each(ids, offsets, markers, *wanted, after=after)
            for wanted, after in (((FILE_START,), 0), (stream.CHANGE_STARTS, 0), ((CODE_START,), 1), ((CODE_END,), 1))
        ]
        if any(((positions < 0) & (lengths > 0)).any() for positions in found[1:]):
            raise other
        return cls(ids, offsets, abouts, *found)

    def code(self, sequence: int) -> Ids:
        """The ids between <CODE_START> and <CODE_END>."""
        return self.ids[self.codes[sequence] : max(self.ends[sequence] - 1, self.codes[sequence])]

    @property
    def code_lengths(self) -> Positions:
        """Number of ids of each sequence's code."""
        lengths: Positions = np.maximum(self.ends - 1 - self.codes, 0)
        return lengths

    def commits(self) -> Iterator[CommitTokens]:
        """The commits in the order of the file; one whose chunks were all left out has no tokens."""
        open_: CommitTokens | None = None
        for run in self.abouts.runs:
            if open_ is None or (run.hash, run.repository) != (open_.hash, open_.repository):
                if open_:
                    yield open_
                open_ = CommitTokens(run.hash, run.repository, run.timestamp, run.first, run.first, 0)
            open_.last = run.last
            open_.tokens += int(self.offsets[run.last] - self.offsets[run.first])
        if open_:
            yield open_

    def ranges(self, commit: CommitTokens, left_out: set[int]) -> list[Range]:
        """The commit's tokens without some of its changes; nothing where none is left.

        The heads and ends of commit and files stay with what is left of them, so that the grammar holds.
        """
        chunks = [number for number in range(commit.first, commit.last) if self.bodies[number] >= 0]
        kept = [number for number in chunks if number not in left_out]
        if len(kept) == len(chunks):
            return [(int(self.offsets[commit.first]), int(self.offsets[commit.last]))]
        if not kept:
            return []
        first, last = chunks[0], chunks[-1]
        found: list[Range] = [(int(self.offsets[first]), int(self.file_starts[first]))]  # the commit's head
        for file in self._files(chunks):
            changes = [number for number in file if number not in left_out]
            if changes:
                found.append((int(self.file_starts[file[0]]), int(self.bodies[file[0]])))
                found += [(int(self.bodies[number]), int(self.ends[number])) for number in changes]
                end = int(self.ends[file[-1]])
                found.append((end, end + 1))
        found.append((int(self.offsets[last + 1]) - 1, int(self.offsets[last + 1])))  # the commit's end
        return _merged(found)

    def _files(self, chunks: Sequence[int]) -> list[list[int]]:
        files: list[list[int]] = []
        for number in chunks:
            if self.file_starts[number] >= 0:
                files.append([])
            files[-1].append(number)
        return files


def in_order(commits: Sequence[CommitTokens], path: Path, interleave: str) -> list[CommitTokens]:
    """The commits as commits.json orders them (parents before children, then by date), with their parents.

    Several repositories stand one after the other, or by "date" as they stand in commits.json. Raises
    UserError for a commit that commits.json does not have.
    """
    wanted = {(commit.repository, commit.hash): commit for commit in commits}
    repositories = list(dict.fromkeys(commit.repository for commit in commits))
    ordered: list[CommitTokens] = []
    for repository, head, _ in commit_heads(path):
        commit = wanted.pop((repository, head.hash), None)
        if commit:
            commit.parents = tuple(head.parents)
            ordered.append(commit)
    if wanted:
        raise UserError(
            f"tokens.pt was not made from {path}: that has no commit {next(iter(wanted))[1]}", "run tokenizer again"
        )
    if interleave == "repository":
        return [commit for name in repositories for commit in ordered if commit.repository == name]
    return ordered


def _merged(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, end in ranges:
        if start == end:
            continue
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
