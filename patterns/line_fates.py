"""What became of every line that the main line ever added: a walk over its steps with the owner of each line."""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from core.code.test_files import is_test_file
from core.git.commands import decode
from core.git.encodings import is_binary
from core.git.main_line import FileEdit, Hunk, Step
from patterns.moves import ChangedLines, essence, has_word, moved

_ALIVE = 0
ReadBlob = Callable[[str], bytes | None]
LOST = -(2**31)
"""The fate of a line that a file took along which cannot be read."""


def _numbers() -> array[int]:
    return array("i")


def _hashes() -> array[int]:
    return array("I")


@dataclass
class LineFates:
    """All lines, by the number that each got when it was added.

    A line that is moved or formatted differently goes on as a new number. Everything is in flat arrays: eight bytes for
    every line that was ever added, four for each that stands, twenty for a hunk.
    """

    commits: list[str] = field(default_factory=list)
    """The steps, oldest first."""
    times: array[int] = field(default_factory=lambda: array("q"))
    """When each was committed, in seconds since 1970."""
    fates: array[int] = field(default_factory=_numbers)
    """Of each line: 0 while it stands, the number it goes on as, minus the step (from 1) that removed it, or LOST."""
    words: array[int] = field(default_factory=_hashes)
    """Of each line: a hash of its essence; 0 where it has no word, and so counts for nothing."""
    tested: array[int] = field(default_factory=lambda: array("b"))
    """Of each step: 1 where it changed tests, too."""
    first_hunks: array[int] = field(default_factory=_numbers)
    """Of each step: its first hunk with added lines."""
    hunk_paths: array[int] = field(default_factory=_numbers)
    hunk_starts: array[int] = field(default_factory=_numbers)
    """First of the added lines, in the file after the step, from 1."""
    hunk_ids: array[int] = field(default_factory=_numbers)
    """Number of the first added line; the others follow."""
    paths: list[bytes] = field(default_factory=list)
    """Every path that had a hunk."""
    owners: dict[bytes, array[int] | None] = field(default_factory=dict)
    """Of each file as of the last step, the number of each line; None for binary files, and those that are missing."""
    missing: set[bytes] = field(default_factory=set)
    """Files that cannot be read as of the last step: a clone may lack their blobs."""
    unread: set[tuple[int, bytes]] = field(default_factory=set)
    """(step from 0, path) of changes of which one side, or what git compares it with, cannot be read."""
    absent: set[str] = field(default_factory=set)
    """Blobs that were needed and are not there."""

    def __post_init__(self) -> None:
        self._path_numbers = {path: number for number, path in enumerate(self.paths)}

    def take(self, step: Step, read_blob: ReadBlob, absent: Collection[str] = ()) -> None:
        """Go one step on. `read_blob` is asked for files that were binary, and may not be any longer.

        `absent` are blobs that are not there. Whatever depends on one in this step is not known from then on.
        """
        self.commits.append(step.hash)
        self.times.append(step.time)
        self.tested.append(any(is_test_file(decode(edit.new_path)[0]) for edit in step.edits))
        self.first_hunks.append(len(self.hunk_ids))
        old = [self.owners.pop(edit.old_path, None) if edit.old_path else _numbers() for edit in step.edits]
        changed: list[ChangedLines] = []
        unread = _unread(step.edits, absent) if absent else frozenset()
        for number, (edit, known) in enumerate(zip(step.edits, old, strict=True)):
            if number in unread:
                self._lose(edit, known, read_blob, absent)
                continue
            unknown = edit.is_binary or known is None
            lines, hunks = self._of_unknown(edit, known, read_blob) if unknown else (known, edit.hunks)
            kept = self._edited(number, edit.new_path, lines, hunks, changed)
            if edit.new_path:
                self.owners[edit.new_path] = kept
            if edit.old_path in self.missing:
                self.missing.remove(edit.old_path)
                self.missing.add(edit.new_path)
        self._end(changed, is_whole=not unread)

    def _lose(self, edit: FileEdit, lines: array[int] | None, read_blob: ReadBlob, absent: Collection[str]) -> None:
        """Forget the lines before, and take those after for lines of unknown age, which count for nothing."""
        for line in lines or ():
            self.fates[line] = LOST
        self.unread |= {(len(self.commits) - 1, path) for path in (edit.old_path, edit.new_path) if path}
        self.absent |= {blob for blob in (edit.old_blob, edit.new_blob) if blob in absent}
        self.missing.discard(edit.old_path)
        if not edit.new_path:
            return
        self.owners[edit.new_path] = None
        content = read_blob(edit.new_blob)
        if content is None:
            self.missing.add(edit.new_path)
        elif not is_binary(content):
            first, count = len(self.fates), len(lines_of(content))
            self.owners[edit.new_path] = array("i", range(first, first + count))
            self.fates.extend([_ALIVE] * count)
            self.words.extend([0] * count)
            if count:
                self._note(edit.new_path, 1, first)

    def _of_unknown(
        self, edit: FileEdit, lines: array[int] | None, read_blob: ReadBlob
    ) -> tuple[array[int] | None, list[Hunk]]:
        """Lines before, and hunks, where git shows none: all that was there is removed, all that is there is new."""
        if not edit.new_path or (edit.old_blob == edit.new_blob and not edit.hunks):
            return lines, []
        content = read_blob(edit.new_blob)
        removed = [b""] * len(lines or ())
        if content is None or is_binary(content):
            self._end([ChangedLines(0, lines or (), removed, (), ())])
            return None, []
        return lines or _numbers(), [Hunk(1 if removed else 0, removed, 1, lines_of(content))]

    def _edited(
        self, file: int, path: bytes, lines: array[int] | None, hunks: Sequence[Hunk], changed: list[ChangedLines]
    ) -> array[int] | None:
        """The owners of a file's lines after its hunks, which are added to `changed`."""
        if lines is None:
            return None
        kept, at = _numbers(), 0
        for hunk in hunks:
            start = hunk.old_at - 1 if hunk.removed else hunk.old_at
            end = start + len(hunk.removed)
            first = len(self.fates)
            texts = [essence(line) for line in hunk.added]
            added = array("i", range(first, first + len(texts)))
            self.fates.extend([_ALIVE] * len(texts))
            self.words.extend(word_of(text) for text in texts)
            if texts:
                self._note(path, hunk.new_at, first)
            removed = lines[start:end]
            changed.append(ChangedLines(file, removed, [essence(line) for line in hunk.removed], added, texts))
            kept += lines[at:start] + added
            at = end
        return kept + lines[at:] if hunks else lines

    def _note(self, path: bytes, start: int, first: int) -> None:
        number = self._path_numbers.setdefault(path, len(self.paths))
        if number == len(self.paths):
            self.paths.append(path)
        self.hunk_paths.append(number)
        self.hunk_starts.append(start)
        self.hunk_ids.append(first)

    def _end(self, changed: Sequence[ChangedLines], *, is_whole: bool = True) -> None:
        """Write down what becomes of the removed lines. Where a step is not whole, they may be in what is missing."""
        goes_on = moved(changed, across_files=is_whole) if any(hunk.removed for hunk in changed) else {}
        otherwise = -len(self.commits) if is_whole else LOST
        for hunk in changed:
            for line in hunk.removed:
                self.fates[line] = goes_on.get(line, otherwise)

    def is_lost(self, line: int) -> bool:
        """Whether a file that cannot be read took a line along."""
        while (fate := self.fates[line]) > 0:
            line = fate
        return fate == LOST

    def ended(self, line: int) -> int | None:
        """The step (from 0) that removed a line that is not lost, moves not counted; None while it stands."""
        while (fate := self.fates[line]) > 0:
            line = fate
        return -fate - 1 if fate else None

    def added(self, step: int, path: bytes) -> Iterator[tuple[int, int]]:
        """(line number in the file, from 1; its number here) of each line that a step (from 0) added to a file."""
        wanted = self._path_numbers.get(path)
        last = self.first_hunks[step + 1] if step + 1 < len(self.first_hunks) else len(self.hunk_ids)
        for hunk in range(self.first_hunks[step], last):
            if self.hunk_paths[hunk] == wanted:
                first = self.hunk_ids[hunk]
                end = self.hunk_ids[hunk + 1] if hunk + 1 < len(self.hunk_ids) else len(self.fates)
                yield from ((self.hunk_starts[hunk] + line - first, line) for line in range(first, end))

    def born(self, line: int) -> int:
        """The step (from 0) that added a line."""
        hunk = bisect_right(self.hunk_ids, line) - 1
        return bisect_right(self.first_hunks, hunk) - 1


def _unread(edits: Sequence[FileEdit], absent: Collection[str]) -> frozenset[int]:
    """The edits that depend on blobs that are not there.

    Those of a blob itself; and where git looks for renames among such blobs, those that it might have paired with one.
    A file that was moved, or got another mode, is not read.
    """
    sides = ((number, {edit.old_blob, edit.new_blob}) for number, edit in enumerate(edits))
    found = {number for number, blobs in sides if len(blobs) > 1 and not blobs.isdisjoint(absent)}
    gone = [edits[number] for number in found if edits[number].old_path != edits[number].new_path]
    if any(edit.old_path for edit in gone):
        found |= {number for number, edit in enumerate(edits) if not edit.old_path}
    if gone:
        found |= {number for number, edit in enumerate(edits) if _is_likeness(edit)}
    return frozenset(found)


def _is_likeness(edit: FileEdit) -> bool:
    """A rename that git has seen by what the two files have in common."""
    return bool(edit.old_path and edit.new_path) and edit.old_path != edit.new_path and edit.old_blob != edit.new_blob


def word_of(text: bytes) -> int:
    """What stands for a line's essence: 0 for none."""
    return (zlib.crc32(text) or 1) if has_word(text) else 0


def lines_of(content: bytes) -> list[bytes]:
    """The lines of a file as git counts them: the last one may lack its end."""
    lines = content.split(b"\n")
    return lines if lines[-1] else lines[:-1]
