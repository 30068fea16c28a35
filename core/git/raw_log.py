"""Commits and which files each changed, without patches: one `git log` for all that is new."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import StageError
from core.git.commands import decode, stream
from core.git.encodings import with_line_feeds
from core.logs import log

_BLOCK_BYTES = 1 << 20
MAX_COMMITS = 200_000
"""Of a history; the newest ones."""


@dataclass(slots=True)
class LoggedCommit:
    """A commit, with (status, path, old path) of each file that differs from its only parent."""

    hash: str
    parents: list[str]
    time: int
    author: str
    title: str
    changes: list[tuple[str, str, str]] = field(default_factory=list)


def logged(git_dir: Path, tip: str, known: Sequence[str] = ()) -> list[LoggedCommit]:
    """`tip` and its ancestors but for those of `known`, parents first.

    Renames are found by likeness where the old contents are there (they are missing in a partial clone), and by equal
    contents otherwise. Raises StageError where git cannot read a commit.
    """
    try:
        return list(_read(git_dir, tip, known, "-M"))
    except StageError as error:
        log.debug("renames are found by equal contents alone: %s", error)
        return list(_read(git_dir, tip, known, "-M100%"))


def _read(git_dir: Path, tip: str, known: Sequence[str], renames: str) -> Iterator[LoggedCommit]:
    marker = secrets.token_hex(8)
    revisions = "\n".join([tip, *(f"^{one}" for one in known)]).encode()
    arguments = [
        *("log", "--ignore-missing", "--stdin", "--date-order", "--reverse", f"--max-count={MAX_COMMITS}"),
        *("--raw", "-r", "-z", renames),
        *("--no-notes", "--no-color", "--no-ext-diff", "--ignore-submodules=none", "--no-relative", "--no-abbrev"),
        f"--format={marker}%H%x00%P%x00%ct%x00%aN%x00%s",
    ]
    with stream(git_dir, *arguments, stdin=revisions) as output:
        rest = b""
        split = marker.encode()
        while block := output.read(_BLOCK_BYTES):
            *whole, rest = (rest + block).split(split)
            yield from (_commit(record) for record in whole if record)
        if rest:
            yield _commit(rest)


def _commit(record: bytes) -> LoggedCommit:
    hash_, parents, time, author, subject, *entries = record.split(b"\0")
    commit = LoggedCommit(
        hash_.decode(), parents.decode().split(), int(time or 0), decode(author)[0], decode(_title(subject))[0]
    )
    fields = iter(entries)
    for entry in fields:
        words = entry.split(b" ")
        if len(words) != 5:
            continue
        status = words[4][:1].decode()
        path = decode(next(fields, b""))[0]
        old = ""
        if status in "RC":
            old, path = path, decode(next(fields, b""))[0]
        commit.changes.append((status, path, old))
    return commit


def _title(subject: bytes) -> bytes:
    """git's subject; a whole message if its lines end with carriage returns alone, of which this is the first part."""
    text = with_line_feeds(subject).strip(b"\n")
    return text.partition(b"\n\n")[0].replace(b"\n", b" ")
