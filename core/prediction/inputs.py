"""What a question is made of on a command line: texts of files, staged changes, ranges, diffs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from core.errors import UserError
from core.git import trees
from core.prediction.files import FileAsker
from core.prediction.question import MOST_TEXT

MAX_DIFF = 50_000_000
"""Characters of a diff on standard input that are read."""
_CHANGED = re.compile(
    r"^(?:---|\+\+\+) (?:[abciow]/)?(?!/dev/null)([^\t\r\n\"]+)|^rename (?:from|to) ([^\r\n]+)", re.MULTILINE
)


def text_of(file: str) -> str:
    """A task in a file, or on standard input (-); what is longer than a task may be is cut off.

    Raises UserError where the file cannot be read.
    """
    if file == "-":
        return sys.stdin.read(MOST_TEXT)
    try:
        with Path(file).open(encoding="utf-8", errors="replace") as opened:
            return opened.read(MOST_TEXT)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}", "name a file, or - for standard input") from None


def lines_of(file: str, most: int) -> Iterator[str]:
    """Lines of a file, or of standard input (-); of a longer one its first `most` characters and one more.

    Raises UserError where it cannot be read.
    """
    if file == "-":
        yield from _bounded(sys.stdin, most)
        return
    try:
        with Path(file).open(encoding="utf-8", errors="replace") as opened:
            yield from _bounded(opened, most)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}", "name a file, or - for standard input") from None


def _bounded(opened: TextIO, most: int) -> Iterator[str]:
    while line := opened.readline(most + 1):
        rest = line
        while len(rest) > most and not rest.endswith("\n"):
            rest = opened.readline(most + 1)
        yield line


def changed_files(asker: FileAsker, at: str, *, staged: bool, diff: str | None) -> tuple[list[str], str]:
    """(files that are changed already, the commit as of which to ask): for a range, that is where it begins.

    Raises UserError where nothing is changed.
    """
    changed = trees.staged(asker.git_dir) if staged else []
    if diff == "-":
        changed += files_of_diff(sys.stdin.read(MAX_DIFF))
    elif diff:
        old, _, new = diff.replace("...", "..").partition("..")
        before, after = asker.commit(old), asker.commit(new)
        before = trees.merge_base(asker.git_dir, before, after) or before
        changed += trees.changed_between(asker.git_dir, before, after)
        at = at or before
    if (staged or diff) and not changed:
        raise UserError("nothing is changed", "stage something, or name another range")
    return changed, at


def files_of_diff(text: str) -> list[str]:
    """The files that a unified diff changes. Raises UserError where it names none."""
    found = dict.fromkeys(one or other for one, other in _CHANGED.findall(text))
    if not found:
        raise UserError("this is not a diff: it names no file", "give the output of git diff")
    return list(found)
