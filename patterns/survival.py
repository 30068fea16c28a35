"""Which of the lines that a change added are still there: asked of a walk over the main line."""

from __future__ import annotations

import sys
from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.errors import StageError
from core.files import atomic_write
from core.git import main_line
from core.git.blobs import BlobReader, missing
from core.history.overlay import Overlay
from core.logs import log
from core.progress import Progress
from core.records.chunks import LineRange
from core.records.patterns import Survival
from patterns.line_fates import LineFates

_STATE_VERSION = f"2 {sys.byteorder}"
"""Of the file that a walk goes on from: another one is walked again."""
_ARRAYS = ("times", "fates", "words", "tested", "first_hunks", "hunk_paths", "hunk_starts", "hunk_ids")
_DAY = 86_400


class AddedLines(NamedTuple):
    """What a commit did to some lines of a file."""

    commit: str
    path: bytes
    lines: LineRange
    """Where it is, in the file after the commit."""
    added: Sequence[int]
    """The words (`patterns.line_fates.word_of`) of the added lines, without 0."""
    removed: frozenset[int] = frozenset()
    """Those of the removed lines."""


class Survivals:
    """Answers what became of lines, as of the last step of a walk."""

    def __init__(
        self, fates: LineFates, parents: Mapping[str, Sequence[str]], reverts: Callable[[str], str] = lambda _: ""
    ) -> None:
        """`parents` has those of every commit of the history.

        `reverts` gives the commit that says that it takes another one back, "" where none does.
        """
        self.fates = fates
        self._steps = _steps_of(fates.commits, parents)
        self._reverts = reverts
        self.unread = 0
        """Changes of which nothing is known since a file could not be read."""

    def brought_in_by(self, commit: str) -> str:
        """The commit of the main line that brought a commit in: itself, or a merge; "" where none did."""
        step = self._steps.get(commit)
        return "" if step is None else self.fates.commits[step]

    def of(self, change: AddedLines) -> Survival | None:
        """What became of a change's lines; None where its commit is not on the main line, or files are missing."""
        step = self._steps.get(change.commit)
        if step is None:
            return None
        fates, last = self.fates, len(self.fates.commits) - 1
        lines = self._lines(change, step)
        if (step, change.path) in fates.unread or any(line is not None and fates.is_lost(line) for line in lines):
            self.unread += 1
            return None
        ends = sorted(end for line in lines if (end := step if line is None else fates.ended(line)) is not None)
        needed = len(lines) // 2 + 1
        end = ends[needed - 1] if lines and len(ends) >= needed else None
        until = last if end is None else end
        if end is not None and (end, change.path) in fates.unread:  # what was before may be back there
            self.unread += 1
            return None
        return Survival(
            born=fates.commits[step],
            until=fates.commits[last],
            days=round(max(fates.times[until] - fates.times[step], 0) / _DAY, 2),
            lines=len(lines),
            alive=len(lines) - len(ends),
            ended_by="" if end is None else fates.commits[end],
            taken_back=end is not None and self._is_taken_back(change, end),
        )

    def _lines(self, change: AddedLines, step: int) -> list[int | None]:
        """The lines that a step brought in; None for each of a merged commit's that the branch itself undid."""
        first, last = change.lines
        added = dict(self.fates.added(step, change.path))
        if self.fates.commits[step] == change.commit:
            return [line for number, line in added.items() if first <= number <= last and self.fates.words[line]]
        by_word: defaultdict[int, deque[int]] = defaultdict(deque)
        for line in added.values():
            by_word[self.fates.words[line]].append(line)
        return [by_word[word].popleft() if by_word[word] else None for word in change.added]

    def _is_taken_back(self, change: AddedLines, end: int) -> bool:
        reverting = self._reverts(change.commit)
        if reverting and self._steps.get(reverting) == end:
            return True
        before = change.removed - set(change.added)
        return bool(before) and before <= {self.fates.words[line] for _, line in self.fates.added(end, change.path)}


def _steps_of(commits: Sequence[str], parents: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """By commit, the step that brought it onto the main line: itself, or the merge of its branch."""
    found = {commit: step for step, commit in enumerate(commits)}
    for step, commit in enumerate(commits):
        waiting = list(parents.get(commit, ())[1:])
        while waiting:
            one = waiting.pop()
            if one not in found:
                found[one] = step
                waiting += parents.get(one, ())
    return found


class _State(msgspec.Struct):
    version: str
    commits: list[str]
    paths: list[bytes]
    arrays: dict[str, bytes]
    owners: dict[bytes, bytes | None]
    missing: list[bytes]
    unread: list[tuple[int, bytes]]
    absent: list[str]


def walk(git_dir: Path, tip: str, progress: Progress, state: Path | None = None) -> LineFates:
    """The fates of all lines up to `tip`; goes on from `state`, a file of `save`, where that is of this history.

    The result is the same as that of a walk from the beginning. Blobs may be missing, as in partial clones: what
    depends on one is not known. Raises StageError where git cannot read another object.
    """
    chain = main_line.first_parents(git_dir, tip)
    fates = _load(state, chain) if state else None
    if fates and missing(git_dir, fates.absent) != fates.absent:
        log.debug("blobs that were missing are there; the main line is walked from its beginning")
        fates = None
    fates = fates or LineFates()
    progress.advance(len(fates.commits))
    with BlobReader(git_dir) as blobs, Overlay(git_dir) as overlay:
        while len(fates.commits) < len(chain):
            absent = {blob.decode() for blob in overlay.missing}
            try:
                last = fates.commits[-1] if fates.commits else ""
                for step in main_line.steps(overlay.git_dir, chain[-1], last, replacements=True):
                    fates.take(step, blobs.read, absent)
                    progress.advance()
                break
            except StageError as error:
                left = "\n".join(chain[max(len(fates.commits) - 1, 0) :]).encode()
                overlay.substitute(left, error.message, len(overlay.missing))
                if overlay.has_missing_trees:
                    raise
    if fates.commits != chain:
        raise StageError(f"git log shows other commits than git rev-list in {git_dir}", "run again")
    return fates


def save(fates: LineFates, path: Path) -> None:
    """Write a walk down, so that the next one can go on from it."""
    state = _State(
        version=_STATE_VERSION,
        commits=fates.commits,
        paths=fates.paths,
        arrays={name: getattr(fates, name).tobytes() for name in _ARRAYS},
        owners={path: None if lines is None else lines.tobytes() for path, lines in sorted(fates.owners.items())},
        missing=sorted(fates.missing),
        unread=sorted(fates.unread),
        absent=sorted(fates.absent),
    )
    with atomic_write(path) as file:
        file.write(msgspec.msgpack.encode(state))


def _load(path: Path, chain: Sequence[str]) -> LineFates | None:
    """The walk of a file; None where there is none, or it is of another version or of a history that was rewritten."""
    try:
        state = msgspec.msgpack.decode(path.read_bytes(), type=_State)
    except (OSError, msgspec.DecodeError) as error:
        log.debug("%s: %s; the main line is walked from its beginning", path, error)
        return None
    if state.version != _STATE_VERSION or not state.commits or state.commits != chain[: len(state.commits)]:
        log.debug("%s is of another history; the main line is walked from its beginning", path)
        return None
    found = LineFates(
        commits=state.commits,
        paths=state.paths,
        owners={name: None if lines is None else _filled(array("i"), lines) for name, lines in state.owners.items()},
        missing=set(state.missing),
        unread=set(state.unread),
        absent=set(state.absent),
    )
    for name in _ARRAYS:
        _filled(getattr(found, name), state.arrays[name])
    return found


def _filled(numbers: array[int], data: bytes) -> array[int]:
    numbers.frombytes(data)
    return numbers
