"""The main line: the first parents of a commit, oldest first, each with the lines that it changed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from core.errors import StageError
from core.git.blobs import NO_MODE, SUBMODULE_MODE
from core.git.commands import run, stream

_BLOCK_BYTES = 1 << 20
_SECTION, _BINARY = b"diff --git ", b"Binary files "
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


_PATCH = (
    *("--raw", "-z", "-r", "-p", "-U0", "--inter-hunk-context=0", "-M50%", "--no-abbrev"),
    *("--diff-algorithm=myers", "--indent-heuristic", "--submodule=short", "--ignore-submodules=none"),
    *("--no-color", "--no-ext-diff", "--no-textconv", "--no-relative"),
)


class Hunk(NamedTuple):
    """Lines that took the place of others. Numbers are from 1; where there are none, `at` is the line before."""

    old_at: int
    removed: list[bytes]
    new_at: int
    added: list[bytes]


@dataclass(slots=True)
class FileEdit:
    """What a commit did to a file. Paths are as git has them; the side that is missing has no path and no blob."""

    old_path: bytes
    new_path: bytes
    old_blob: str
    new_blob: str
    hunks: list[Hunk] = field(default_factory=list)
    is_binary: bool = False
    """git shows no lines of it."""


@dataclass(slots=True)
class Step:
    """A commit of the main line, against its first parent."""

    hash: str
    time: int
    """When it was committed, in seconds since 1970."""
    edits: list[FileEdit]


def steps(git_dir: Path, tip: str, last: str = "", *, replacements: bool = False) -> Iterator[Step]:
    """The commits that lead to `tip` by first parents, oldest first; of these, those after `last`.

    With `replacements`, what `git_dir` has in the place of an object is read for it. A step is in memory whole.
    Raises StageError where git cannot read one, or says something unexpected.
    """
    marker = secrets.token_hex(16)
    arguments = [
        *("log", "--stdin", "--first-parent", "--reverse", "--diff-merges=first-parent", "--no-notes", *_PATCH),
        f"--format={marker}%H %ct",
    ]
    revisions = f"{tip}\n^{last}\n" if last else f"{tip}\n"
    split = marker.encode()
    pieces: list[bytes] = []
    rest = b""
    with stream(git_dir, *arguments, stdin=revisions.encode(), replacements=replacements) as output:
        while block := output.read(_BLOCK_BYTES):
            *whole, block = (rest + block).split(split)
            for record in whole:
                pieces.append(record)
                if record := b"".join(pieces):
                    yield _step(record)
                pieces.clear()
            rest = block[-len(split) + 1 :]  # the marker may straddle two blocks
            pieces.append(block[: len(block) - len(rest)])
    if record := b"".join([*pieces, rest]):  # cut off where git has failed, which the end of the block has raised
        yield _step(record)


def edits_between(git_dir: Path, old: str, new: str, paths: Sequence[str] = ()) -> list[FileEdit]:
    """What differs between two commits, of the files that match one of these patterns if there are any.

    All of it is in memory. Raises StageError where git cannot say.
    """
    edits, patch = _raw(run(git_dir, "diff-tree", *_PATCH, "--end-of-options", old, new, "--", *paths))
    _read_patch([one for one, _ in edits], patch, f"{old}..{new}")
    return [one for one, is_file in edits if is_file]


def first_parents(git_dir: Path, tip: str) -> list[str]:
    """The commits that lead to `tip` by first parents, oldest first."""
    return run(git_dir, "rev-list", "--first-parent", "--reverse", tip, "--").decode().split()


def parents(git_dir: Path, tip: str) -> dict[str, list[str]]:
    """The parents of `tip` and of all commits that it knows."""
    with stream(git_dir, "rev-list", "--parents", tip, "--") as output:
        return {words[0]: words[1:] for line in output if (words := line.decode().split())}


def _step(record: bytes) -> Step:
    head, _, rest = record.partition(b"\0")
    hash_, time = head.decode().split()
    edits, patch = _raw(rest.lstrip(b"\n"))
    _read_patch([one for one, _ in edits], patch, hash_)
    return Step(hash_, int(time), [one for one, is_file in edits if is_file])


def _raw(text: bytes) -> tuple[list[tuple[FileEdit, bool]], list[bytes]]:
    """((edit, whether it is of a file), …) in the order of the patch, and the lines of the patch."""
    edits: list[tuple[FileEdit, bool]] = []
    at = 0
    while text.startswith(b":", at):
        meta, at = _until_nul(text, at)
        old_mode, new_mode, old_blob, new_blob, status = meta[1:].decode().split()
        old_path, at = _until_nul(text, at)
        new_path = old_path
        if status[0] in "RC":
            new_path, at = _until_nul(text, at)
        edits += _edits(status[0], (old_mode, old_path, old_blob), (new_mode, new_path, new_blob))
    return edits, text[at:].lstrip(b"\0").split(b"\n")


def _edits(status: str, old: tuple[str, bytes, str], new: tuple[str, bytes, str]) -> Iterator[tuple[FileEdit, bool]]:
    """One edit; of a file that became a link or a submodule, or the other way round, two, as git shows them."""
    before, after = old[0] != NO_MODE, new[0] != NO_MODE
    sides = [(before, after)] if status != "T" else [(True, False), (False, True)]
    for has_old, has_new in sides:
        modes = {side[0] for side, there in ((old, has_old), (new, has_new)) if there}
        edit = FileEdit(
            old[1] if has_old else b"", new[1] if has_new else b"", old[2] if has_old else "", new[2] if has_new else ""
        )
        yield edit, SUBMODULE_MODE not in modes


def _until_nul(text: bytes, at: int) -> tuple[bytes, int]:
    end = text.index(b"\0", at)
    return text[at:end], end + 1


def _read_patch(edits: Sequence[FileEdit], lines: Sequence[bytes], commit: str) -> None:
    """Fill in the hunks: the sections of a patch are those of the edits, in their order."""
    number, at = -1, 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith(_SECTION):
            number += 1
        elif line.startswith(_BINARY) and not edits[number].hunks:
            edits[number].is_binary = True
        elif found := _HUNK.match(line):
            old_at, old_count, new_at, new_count = (int(text or 1) for text in found.groups())
            removed, at = _lines(lines, at, old_count)
            added, at = _lines(lines, at, new_count)
            edits[number].hunks.append(Hunk(old_at, removed, new_at, added))
    if number + 1 != len(edits):
        raise StageError(f"git log shows {number + 1} of the {len(edits)} changed files of {commit}", "run again")


def _lines(lines: Sequence[bytes], at: int, count: int) -> tuple[list[bytes], int]:
    """So many lines of a hunk without their sign, and where the next ones begin."""
    found = [line[1:] for line in lines[at : at + count]]
    at += count
    return found, at + (at < len(lines) and lines[at].startswith(b"\\"))  # "\ No newline at end of file"
