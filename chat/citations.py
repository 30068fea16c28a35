"""Citations: lines of a file at a commit, or words of a commit's message, checked against git before they are shown.

A line number alone is worth nothing: of those of a month ago, half point at something else. So a citation names its
commit and quotes its text, and git decides whether it holds.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from core.errors import GitloreError
from core.git import commands
from core.git.blobs import BlobReader
from core.git.commands import decode
from core.git.names import is_path
from core.git.touched import named

MAX_BYTES = 4_000_000
"""Of a file that may be cited."""
MOST_LINES = 400
"""Of a citation."""
SHORT = 9
"""Characters of a commit's hash as it is shown."""
_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_ADDRESS = re.compile(r"(?P<path>.+):(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?@(?P<commit>[0-9a-f]{4,64})")


@dataclass(frozen=True)
class Citation:
    """Lines of a file at a commit; without a path, words of the commit's message."""

    commit: str
    quote: str
    path: str = ""
    first: int = 0
    """Lines count from 1; both are included."""
    last: int = 0
    blob: str = ""

    def __str__(self) -> str:
        """`path:first-last@commit`, or `commit` and its hash."""
        if not self.path:
            return f"commit {self.commit[:SHORT]}"
        lines = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.path}:{lines}@{self.commit[:SHORT]}"


@dataclass(frozen=True)
class Moved:
    """Where cited text stands at another commit, or why it is gone."""

    citation: Citation | None
    problem: str = ""


class Citations:
    """Makes citations of one repository, and checks those of others. For one thread at a time."""

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir
        self._reader = BlobReader(git_dir)
        self._messages: dict[str, str] = {}
        self._commits: dict[str, bool] = {}

    def __enter__(self) -> Citations:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End git."""
        self._reader.close()

    def lines(self, path: str, commit: str) -> list[str]:
        """The lines of a file without their line feeds; [] where there is no such file, or it is too large to cite."""
        data = self.source(path, commit)
        return [] if data is None else lines_of(data)

    def cite(self, path: str, first: int, last: int, commit: str) -> Citation | None:
        """A citation of lines as they are; None where there are none."""
        data = self.source(path, commit)
        lines = lines_of(data) if data is not None else []
        if data is None or not 1 <= first <= last <= len(lines) or last - first >= MOST_LINES:
            return None
        return Citation(commit, "\n".join(lines[first - 1 : last]), path, first, last, _blob_id(data, commit))

    def cite_commit(self, commit: str, quote: str) -> Citation | None:
        """A citation of a commit by words of its message; None where they are not in it."""
        found = Citation(commit, quote)
        return None if self.problem(found) else found

    def problem(self, citation: Citation) -> str:
        """Why a citation does not hold; "" where git has exactly this text there."""
        if not _HASH.fullmatch(citation.commit):
            return "the commit is not named by its whole hash"
        if not self._is_commit(citation.commit):
            return "there is no such commit"
        if not citation.quote.strip():
            return "nothing is quoted"
        if not citation.path:
            message = self._message(citation.commit)
            return "" if citation.quote in message else "the message of the commit does not say this"
        if citation.last - citation.first >= MOST_LINES:
            return f"more than {MOST_LINES} lines are cited"
        data = self.source(citation.path, citation.commit)
        if data is None:
            return "there is no such file at this commit"
        if citation.blob != _blob_id(data, citation.commit):
            return "the file has another content at this commit"
        lines = lines_of(data)
        if not 1 <= citation.first <= citation.last <= len(lines):
            return f"the file has {len(lines):,} lines"
        if "\n".join(lines[citation.first - 1 : citation.last]) != citation.quote:
            return "these lines say something else"
        return ""

    def moved(self, citation: Citation, commit: str) -> Moved:
        """The same text at another commit, whose lines are counted again by what changed in between.

        A file that was renamed is followed. Text that was changed, or is there more than once since its lines were
        moved, is gone.
        """
        if problem := self.problem(citation):
            return Moved(None, problem)
        if not citation.path or commit == citation.commit:
            return Moved(citation)
        path, blob = citation.path, self._blob(citation.path, commit)
        if not blob:
            path = self._renamed(citation.path, citation.commit, commit)
            blob = self._blob(path, commit) if path else ""
        if not blob:
            return Moved(None, f"{citation.path} is gone")
        first = self._first_now(citation, blob, path, commit)
        if not first:
            return Moved(None, f"these lines of {path} were changed")
        last = first + citation.last - citation.first
        found = replace(citation, commit=commit, path=path, first=first, last=last, blob=blob)
        problem = self.problem(found)
        return Moved(None, f"these lines of {path} were changed") if problem else Moved(found)

    def _first_now(self, citation: Citation, blob: str, path: str, commit: str) -> int:
        """The first line of cited text in another version of the file, 0 where it is gone."""
        if blob == citation.blob:
            return citation.first
        difference = commands.run(
            self.git_dir, "diff", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", citation.blob, blob
        )
        shift = 0
        for hunk in _HUNK.finditer(difference):
            old, removed, _, added = (int(number) if number is not None else 1 for number in hunk.groups())
            start = old + 1 if removed == 0 else old  # git names the line before an insertion
            if start > citation.last:
                break
            if start + removed > citation.first:
                return self._only_place(citation, path, commit)
            shift += added - removed
        return citation.first + shift

    def _only_place(self, citation: Citation, path: str, commit: str) -> int:
        """The line at which the whole text stands, 0 unless it stands there once: lines may be moved within a file."""
        lines, wanted = self.lines(path, commit), citation.quote.split("\n")
        places = [
            place
            for place in range(len(lines) - len(wanted) + 1)
            if lines[place] == wanted[0] and lines[place : place + len(wanted)] == wanted
        ]
        return places[0] + 1 if len(places) == 1 else 0

    def _renamed(self, path: str, old: str, new: str) -> str:
        """What a file of one commit is called at another, "" where no file is like it."""
        fields = commands.run(
            self.git_dir, "diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status", old, new
        ).split(b"\0")
        for place in range(0, len(fields) - 2, 3):
            if decode(fields[place + 1])[0] == path:
                return decode(fields[place + 2])[0]
        return ""

    def _blob(self, path: str, commit: str) -> str:
        data = self.source(path, commit)
        return "" if data is None else _blob_id(data, commit)

    def source(self, path: str, commit: str) -> bytes | None:
        """A file's content, None where it cannot be cited. Nothing but what git has in this commit is ever opened."""
        if not (is_path(path) and self._is_commit(commit)):
            return None
        return self._reader.read(f"{commit}:{path}", MAX_BYTES)

    def is_unnamed(self, path: str, commit: str) -> bool:
        """Whether a file's name is not UTF-8 in git, which then knows none by the name that is shown."""
        return not path.isascii() and self.source(path, commit) is None

    def _is_commit(self, commit: str) -> bool:
        """Whether a text is the whole hash of a commit; git takes a tag or a tree before a path as well."""
        if commit not in self._commits:
            self._commits[commit] = bool(_HASH.fullmatch(commit) and self._reader.read_commit(commit))
        return self._commits[commit]

    def _message(self, commit: str) -> str:
        if commit not in self._messages:
            try:
                touch = named(self.git_dir, commit)
            except GitloreError:
                return ""
            self._messages[commit] = f"{touch.title}\n\n{touch.body}"
        return self._messages[commit]


def lines_of(data: bytes) -> list[str]:
    """Lines as git counts them: only a line feed ends one."""
    lines = decode(data)[0].split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def address(text: str) -> tuple[str, int, int, str] | None:
    """(path, first, last, commit as written) of `path:first-last@commit`; None where a text is none."""
    found = _ADDRESS.fullmatch(text.strip())
    if not found:
        return None
    first = int(found["first"])
    return found["path"], first, int(found["last"] or first), found["commit"]


def _blob_id(data: bytes, commit: str) -> str:
    """git's own name of a content, made as this repository makes names."""
    make = hashlib.sha1 if len(commit) == 40 else hashlib.sha256
    return make(b"blob %d\0" % len(data) + data).hexdigest()
