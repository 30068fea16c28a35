"""A git folder of our own that borrows a repository's objects.

No configuration, attributes, hooks, replace refs or promises of the repository reach git through
it, only objects (with their commit-graph), so the same objects always give the same
output. It can also stand in for objects that are missing: a placeholder keeps git going, and
`missing` lists these objects.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import shutil
import tempfile
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from core.errors import StageError
from core.files import atomic_write, remove
from core.git import commands
from core.git.blobs import SUBMODULE_MODE
from core.git.refs import BOUNDARY_FILES, path_in

_PLACEHOLDER = b"gitlore-missing-"
_OBJECT_ID = re.compile(rb"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b")


class Overlay:
    """Use as a context manager; the folder is gone afterwards."""

    def __init__(self, repository: Path, parent: Path | None = None) -> None:
        """`repository` is the git folder to borrow from, `parent` where the overlay may be put."""
        self.repository = repository
        self.missing: set[bytes] = set()
        """Ids (hex) of objects that cannot be read, as far as they are known."""
        self._parent = parent
        self._trees: set[bytes] = set()
        self._substitutes: dict[bytes, bytes] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Overlay:
        if self._parent:
            self._parent.mkdir(parents=True, exist_ok=True)
            for left in self._parent.glob("overlay-*"):  # by a run that was killed
                remove(left)
        self.git_dir = Path(tempfile.mkdtemp(prefix="overlay-", dir=self._parent)).resolve()
        kind = commands.run(self.repository, "rev-parse", "--show-object-format").decode().strip()
        self._hash = functools.partial(hashlib.new, kind, usedforsecurity=False)
        commands.run(self.git_dir, "init", "--quiet", "--bare", "--template=", f"--object-format={kind}")
        (self.git_dir / "objects" / "info").mkdir(exist_ok=True)
        objects = path_in(self.repository, "objects")
        (self.git_dir / "objects" / "info" / "alternates").write_bytes(quoted(bytes(objects), always=True) + b"\n")
        for name in BOUNDARY_FILES:
            source = path_in(self.repository, name)
            if source.exists():
                (self.git_dir / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(source, self.git_dir / name)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.git_dir, ignore_errors=True)

    def run(self, *arguments: str, stdin: bytes = b"", settings: Iterable[str] = ()) -> bytes:
        """Standard output of a git command in the overlay. Raises StageError when it fails."""
        with self.stream(*arguments, stdin=stdin, settings=settings) as output:
            return output.read()

    @contextlib.contextmanager
    def stream(self, *arguments: str, stdin: bytes = b"", settings: Iterable[str] = ()) -> Iterator[IO[bytes]]:
        """Standard output of a running git command in the overlay. Raises StageError if it fails."""
        try:
            with commands.stream(self.git_dir, *arguments, stdin=stdin, settings=settings, replacements=True) as output:
                yield output
        except StageError as error:  # the user knows the repository, not the overlay
            here, there = str(self.git_dir), str(self.repository)
            raise StageError(error.message.replace(here, there), error.hint.replace(here, there)) from None

    def write_tree(self, entries: Iterable[tuple[str, bytes, str]]) -> str:
        """Add a tree of (mode, name, id), which come in git's order; its id. Objects in it need not be there."""
        return self._write(
            "tree", b"".join([b"%s %s\0" % (mode.encode(), name) + bytes.fromhex(id_) for mode, name, id_ in entries])
        )

    def write_blob(self, content: bytes) -> str:
        """Add a blob; its id."""
        return self._write("blob", content)

    def remove(self, id_: str) -> None:
        """Take an object away that was added here."""
        self._place(id_).unlink(missing_ok=True)

    def _write(self, kind: str, content: bytes) -> str:
        content = b"%s %d\0%s" % (kind.encode(), len(content), content)
        digest = self._hash(content).hexdigest()
        place = self._place(digest)
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            temporary = place.with_name(f"{place.name}.{threading.get_ident()}")  # two workers may write the same tree
            temporary.write_bytes(zlib.compress(content, level=1))
            temporary.replace(place)
        return digest

    def _place(self, id_: str) -> Path:
        return self.git_dir / "objects" / id_[:2] / id_[2:]

    def unreadable(self, ids: Iterable[bytes]) -> set[bytes]:
        """Which of these objects are not there."""
        requested = list(dict.fromkeys(ids))
        found = self.run(
            "cat-file", "--batch-check=%(objectname)", "--buffer", stdin=b"".join(i + b"\n" for i in requested)
        )
        return {line.split()[0] for line in found.splitlines() if line.endswith(b" missing")}

    def substitute(self, commits: bytes, complaint: str, known: int) -> None:
        """Put placeholders in the place of what is missing in the trees of these commits (one id a line).

        `complaint` is git's error message; it may name an object that is there but
        damaged. `known` is how many were missing then: if another thread has learned of more since,
        it is enough to try again. Raises StageError where nothing new is found.
        """
        with self._lock:
            if len(self.missing) > known:
                return
            for _ in range(_MOST_DAMAGED_TREES):
                try:
                    trees = self._absent(commits, "--filter=blob:none")
                    self.missing |= self._absent(commits) | trees
                    self._trees |= trees
                    break
                except StageError as error:  # a damaged tree stops even this listing
                    self._learn(error.message)
                    self._write_substitutes()
            if len(self.missing) == known:
                self._learn(complaint)
            self._write_substitutes()

    @property
    def has_missing_trees(self) -> bool:
        """True where folders, not just files, are unknown."""
        return bool(self._trees)

    def placeholder_of(self, name: bytes) -> bytes | None:
        """The id of the missing tree for which an entry of this name stands, if it is one of ours."""
        start, _, id_ = name.partition(_PLACEHOLDER)
        return id_ if not start and id_ in self._trees else None

    def _absent(self, commits: bytes, *arguments: str) -> set[bytes]:
        found: set[bytes] = set()
        with self.stream(
            "rev-list", "--objects", "--no-walk", "--missing=print", *arguments, "--stdin", stdin=commits
        ) as lines:
            found.update(line[1:].strip() for line in lines if line.startswith(b"?"))
        return found

    def _learn(self, complaint: str) -> None:
        """Take the object that git complained about as missing."""
        named = [id_ for id_ in _OBJECT_ID.findall(complaint.encode()) if id_ not in self.missing]
        if not named:
            raise StageError(complaint, f"check the repository with: git --git-dir={self.repository} fsck")
        kinds = self.run("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=named[0] + b"\n").split()
        if kinds[-1] == b"commit":
            raise StageError(complaint, f"check the repository with: git --git-dir={self.repository} fsck")
        self.missing.add(named[0])
        if kinds[-1] == b"tree" or "tree" in complaint:
            self._trees.add(named[0])

    def _write_substitutes(self) -> None:
        """Placeholders: for a blob its id behind a NUL (so that it is binary), for a tree one odd entry."""
        blobs = sorted(self.missing - self._trees - self._substitutes.keys())
        trees = sorted(self._trees - self._substitutes.keys())
        if blobs:
            content = (b"blob\nmark :%d\ndata %d\n\0%s\n" % (n, len(b) + 1, b) for n, b in enumerate(blobs, start=1))
            marks = self.git_dir / "placeholders"
            self.run("fast-import", "--quiet", "--done", f"--export-marks={marks}", stdin=b"".join(content) + b"done\n")
            for mark, id_ in (line.split() for line in marks.read_bytes().splitlines()):
                self._substitutes[blobs[int(mark[1:]) - 1]] = id_
        for id_ in trees:
            self._substitutes[id_] = self.write_tree([(SUBMODULE_MODE, _PLACEHOLDER + id_, id_.decode())]).encode()
        lines = (b"%s refs/replace/%s\n" % (self._substitutes[id_], id_) for id_ in sorted(self._substitutes))
        with atomic_write(self.git_dir / "packed-refs") as file:  # other git processes may be reading it
            file.write(b"# pack-refs with: peeled fully-peeled sorted \n" + b"".join(lines))


_MOST_DAMAGED_TREES = 100
"""Damaged trees come to light one by one; with more than this a repository is beyond use."""


def quoted(name: bytes, *, always: bool = False) -> bytes:
    """The name as git writes it in headers and reads it in lists: in C quotes where it needs them."""
    if not always and not _QUOTED.search(name):
        return name
    return b'"' + _QUOTED.sub(lambda found: _ESCAPES.get(found[0]) or b"\\%03o" % found[0][0], name) + b'"'


_QUOTED = re.compile(rb'[\x00-\x1f\x7f"\\]')
_ESCAPES = {
    b"\a": rb"\a",
    b"\b": rb"\b",
    b"\t": rb"\t",
    b"\n": rb"\n",
    b"\v": rb"\v",
    b"\f": rb"\f",
    b"\r": rb"\r",
    b'"': rb"\"",
    b"\\": rb"\\",
}
