"""The index of one repository: its commits as arrays, its texts by blob, in one SQLite file of the cache folder.

`database` says how the file is opened, made again and shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from core.git import raw_log
from core.git.blobs import BlobReader
from core.logs import log
from core.ranking import contents
from core.ranking.contents import Content
from core.ranking.history import Commits
from index.database import Database, checked, name_of, with_checksum
from index.segments import Segment, joined, segment_of

VERSION = 2
"""Of what the file holds; raise it with any change of terms, contents or segments."""
MAX_FILE_BYTES = 1_000_000
"""A larger file is data; its text is not read."""
MAX_SEGMENTS = 16
"""Runs of new commits that are kept apart before they are joined."""
MAX_TIPS = 50
_BATCH = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS segments (number INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tips (number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS blobs (id BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
"""


class RepositoryIndex:
    """The index of the repository at `git_dir`. May be used by one thread at a time; several processes may share it."""

    def __init__(self, git_dir: Path, cache_dir: Path) -> None:
        """Open or create the file in `cache_dir`. Raises StageError where it cannot be written."""
        self.git_dir = git_dir
        self.path = cache_dir / "index" / f"{name_of(git_dir)}.db"
        self._commits: Commits | None = None
        self._database = Database(self.path, VERSION, _SCHEMA)

    def __enter__(self) -> RepositoryIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def commits(self, tip: str) -> Commits:
        """`tip` and all its ancestors, perhaps among others. What is new is read from git first."""
        if self._commits is None:
            self._commits = self._load()
        if tip not in self._commits.numbers:
            with self._database.writing():
                self._commits = self._load()  # another process may have read it
                if tip not in self._commits.numbers:
                    self._add(self._commits, tip)
                    self._commits = self._load()
        return self._commits

    def of(self, blobs: Sequence[str]) -> list[Content]:
        """The contents of blobs. Those seen for the first time are read from git."""
        found: dict[str, Content] = {}
        wanted = list(dict.fromkeys(blobs))
        with self._database.problems():
            for start in range(0, len(wanted), _BATCH):
                batch = [bytes.fromhex(blob) for blob in wanted[start : start + _BATCH]]
                places = ",".join("?" * len(batch))
                line = f"SELECT id, content FROM blobs WHERE id IN ({places})"  # noqa: S608 - question marks alone
                found.update(
                    (id_.hex(), contents.from_numbers(checked(row))) for id_, row in self._database.execute(line, batch)
                )
        new = [blob for blob in wanted if blob not in found]
        if new:
            with BlobReader(self.git_dir) as reader:
                for start in range(0, len(new), _BATCH):
                    found.update(self._read(reader, new[start : start + _BATCH]))
        return [found[blob] for blob in blobs]

    def _read(self, reader: BlobReader, blobs: Sequence[str]) -> dict[str, Content]:
        read = {
            blob: contents.read(data) for blob, data in zip(blobs, reader.read_many(blobs, MAX_FILE_BYTES), strict=True)
        }
        rows = [(bytes.fromhex(blob), with_checksum(contents.numbers(content))) for blob, content in read.items()]
        with self._database.writing():
            self._database.executemany("INSERT OR IGNORE INTO blobs VALUES (?, ?)", rows)
        return read

    def _add(self, known: Commits, tip: str) -> None:
        tips = [
            row[0] for row in self._database.execute("SELECT hash FROM tips ORDER BY number DESC LIMIT ?", [MAX_TIPS])
        ]
        new = [one for one in raw_log.logged(self.git_dir, tip, tips) if one.hash not in known.numbers]
        segment = segment_of(new, known)
        if len(self._segments()) >= MAX_SEGMENTS:
            segment = joined([*self._segments(), segment])
            self._database.execute("DELETE FROM segments")
        self._database.execute("INSERT INTO segments (data) VALUES (?)", [with_checksum(segment.as_bytes())])
        self._database.execute("INSERT OR REPLACE INTO tips (hash) VALUES (?)", [tip])
        log.debug("%s commits added to %s", f"{len(new):,}", self.path)

    def _segments(self) -> list[Segment]:
        rows = self._database.execute("SELECT data FROM segments ORDER BY number")
        return [Segment.from_bytes(checked(row[0])) for row in rows]

    def _load(self) -> Commits:
        with self._database.problems():
            return joined(self._segments()).commits()
