"""A commit's files in a folder for a sandbox, and its files read back, whatever their names, links and sizes are.

Nothing here follows a link, and no name leaves the folder: everything is opened relative to the folder above it.
"""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from core.errors import StageError
from core.git.blobs import SUBMODULE_MODE, BlobReader, missing
from core.git.trees import commit_named, entries_of

TOO_LARGE = "larger than one file may be"
OUTWARD = "links that lead out of the folder"
NO_NAME = "names that no file may have"
TWICE = "names that are there twice"
MISSING = "not in this clone, or damaged"
SUBMODULE = "submodules"
TOO_DEEP = "folders too deep"
_DEEPEST = 100
_LONGEST_LINK = 4096
_TREE_MODE, _LINK_MODE = "40000", "120000"
_OF_ITS_NAME = {errno.EEXIST: TWICE, errno.ENAMETOOLONG: NO_NAME, errno.EINVAL: NO_NAME, errno.EILSEQ: NO_NAME}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Bounds:
    """How much of a commit is written."""

    bytes: int = 256 << 20
    file_bytes: int = 10 << 20
    entries: int = 50_000
    """Files, folders and links."""


@dataclass
class Written:
    """What is in the folder now, and what is not."""

    entries: int = 0
    bytes: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """How many, by the reason."""
    is_cut_off: bool = False
    """A bound was reached; nothing after it was looked at."""


def write_tree(
    git_dir: Path, commit: str, folder: Path, bounds: Bounds = Bounds(), paths: Container[str] | None = None
) -> Written:
    """Write the files of a commit into an empty folder: contents as git keeps them, without filters or line ends.

    With `paths`, only these files are written, in all folders that there are.

    Links are written where they stay in the folder by their text alone. `.git`, in any case, is never written: no git
    that runs there later finds hooks or settings. The commit is a hash, a branch or a tag. Raises UserError where there
    is none, and StageError where the folder cannot be written to, or git has ended.
    """
    commit = commit_named(git_dir, commit)
    with BlobReader(git_dir) as blobs:
        writing = _Writing(blobs, len(commit) // 2, bounds, paths)
        top = os.open(folder, _FOLDER)
        try:
            writing.write(f"{commit}:", top, 0, "")
        except OSError as error:
            raise StageError(f"{folder} could not be written to: {error.strerror}", "free some space there") from None
        finally:
            os.close(top)
    gone = missing(git_dir, writing.unread)
    for blob in writing.unread:
        writing.written.left_out[MISSING if blob in gone else TOO_LARGE] += 1
    return writing.written


def read_result(folder: Path, name: str, max_bytes: int) -> bytes | None:
    """A file that a sandboxed command has left; None where it is not there, not an ordinary file, or too large."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts:
        return None
    *folders, last = parts
    opened = [os.open(folder, _FOLDER)]
    try:
        for one in folders:
            opened.append(os.open(one, _FOLDER, dir_fd=opened[-1]))
        opened.append(os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=opened[-1]))
        if not stat.S_ISREG(os.fstat(opened[-1]).st_mode):
            return None
        with os.fdopen(os.dup(opened[-1]), "rb") as file:
            content = file.read(max_bytes + 1)
    except OSError:
        return None
    finally:
        for one_fd in opened:
            os.close(one_fd)
    return content if len(content) <= max_bytes else None


def remove_folder(folder: Path) -> None:
    """Remove a folder that a sandboxed command has written to: closed folders, and thousands below each other, too."""
    for line in (["chmod", "-R", "u+rwX", "--", str(folder)], ["rm", "-rf", "--", str(folder)]):
        subprocess.run(line, check=False, stderr=subprocess.DEVNULL)
    if folder.exists():
        raise StageError(f"{folder} could not be removed", "look at who it belongs to")


class _Writing:
    """One commit on its way into a folder."""

    def __init__(self, blobs: BlobReader, id_bytes: int, bounds: Bounds, paths: Container[str] | None) -> None:
        self.written = Written()
        self.unread: list[str] = []
        """Blobs that are too large, or not there."""
        self._blobs, self._id_bytes, self._bounds, self._paths = blobs, id_bytes, bounds, paths

    def write(self, tree: str, place: int, depth: int, above: str) -> None:
        """Write a tree into an open folder; `above` is what its paths begin with."""
        content = self._blobs.read_tree(tree)
        try:
            entries = list(entries_of(content or b"", self._id_bytes))
        except ValueError:  # it ends in the middle of a name
            content = None
        if content is None:
            self.written.left_out[MISSING] += 1
            return
        for mode, name, blob in entries:
            if self.written.entries >= self._bounds.entries:
                self.written.is_cut_off = True
            if self.written.is_cut_off:
                return
            if mode != _TREE_MODE and self._paths is not None and above + name not in self._paths:
                continue
            reason = self._left_out(mode, name, depth) or self._entry(mode, name, blob, place, depth, above)
            self.written.left_out.update([reason] if reason else [])

    @staticmethod
    def _left_out(mode: str, name: str, depth: int) -> str:
        if name in ("", ".", "..") or "/" in name or name.casefold() == ".git":
            return NO_NAME
        if mode == SUBMODULE_MODE:
            return SUBMODULE
        return TOO_DEEP if mode == _TREE_MODE and depth >= _DEEPEST else ""

    def _entry(self, mode: str, name: str, blob: str, place: int, depth: int, above: str) -> str:
        """Write one entry; the reason where it is left out."""
        try:
            if mode == _TREE_MODE:
                self._folder(name, blob, place, depth, above)
                return ""
            content = self._blobs.read(blob, _LONGEST_LINK if mode == _LINK_MODE else self._bounds.file_bytes)
            if content is None:
                self.unread.append(blob)
                return ""
            if mode == _LINK_MODE:
                return self._link(name, content, place, depth)
            return self._file(mode, name, content, place)
        except OSError as error:
            if error.errno not in _OF_ITS_NAME:
                raise
            return _OF_ITS_NAME[error.errno]

    def _folder(self, name: str, tree: str, place: int, depth: int, above: str) -> None:
        os.mkdir(name, 0o755, dir_fd=place)
        self.written.entries += 1
        below = os.open(name, _FOLDER, dir_fd=place)
        try:
            self.write(tree, below, depth + 1, f"{above}{name}/")
        finally:
            os.close(below)

    def _file(self, mode: str, name: str, content: bytes, place: int) -> str:
        if self.written.bytes + len(content) > self._bounds.bytes:
            self.written.is_cut_off = True
            return ""
        new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(name, new, 0o755 if mode == "100755" else 0o644, dir_fd=place), "wb") as file:
            file.write(content)
        self.written.entries += 1
        self.written.bytes += len(content)
        return ""

    def _link(self, name: str, content: bytes, place: int, depth: int) -> str:
        if not _stays(content, depth):
            return OUTWARD
        os.symlink(content, os.fsencode(name), dir_fd=place)
        self.written.entries += 1
        return ""


def _stays(target: bytes, depth: int) -> bool:
    """Whether a link in a folder this deep stays in the top folder.

    Steps up are allowed at its beginning only: there they leave folders that were just made. Later ones could follow
    another link, whose folder above is elsewhere.
    """
    steps = target.split(b"/")
    up = next((number for number, step in enumerate(steps) if step != b".."), len(steps))
    return bool(target) and b"\0" not in target and steps[0] != b"" and up <= depth and b".." not in steps[up:]
