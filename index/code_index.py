"""The index of a repository's code: symbols and files of one commit, in one SQLite file of the cache folder.

Rows are kept by blob, so that bringing the index to another commit reads only texts that are new. What a search sees is
put together from the rows of the commit's files in the order of their paths: it does not depend on how they came there.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec
import numpy as np

from core.git import trees
from core.git.blobs import BlobReader, missing
from core.ranking.terms import words
from index import texts
from index.corpus import Corpus, File
from index.database import Database, checked, name_of, with_checksum
from index.hits import Hit, IndexStatus, IndexUpdate
from index.texts import Text

VERSION = 1
"""Of what the file holds; raise it with any change of texts, terms or symbols."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS texts (
    blob BLOB NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, data BLOB NOT NULL, UNIQUE (blob, kind)
);
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, blob BLOB NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL);
"""
Progress = Callable[[int, int], None]
"""Is told how many texts have been read, and of how many."""
_decoder = msgspec.msgpack.Decoder(Text)


class Key(NamedTuple):
    """What a text is kept under."""

    blob: str
    kind: str


class Row(NamedTuple):
    """A text as the database keeps it."""

    blob: bytes
    kind: str
    reason: str
    data: bytes


class CodeIndex:
    """The index of the repository at `git_dir`. May be used by one thread at a time; several processes may share it.

    Raises StageError where its file in `cache_dir` cannot be used.
    """

    def __init__(self, git_dir: Path, cache_dir: Path) -> None:
        self.git_dir = git_dir
        self.path = cache_dir / "index" / f"{name_of(git_dir)}.code.db"
        self._database = Database(self.path, VERSION, _SCHEMA)
        self._corpus: tuple[str | None, Corpus] | None = None

    def __enter__(self) -> CodeIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def commit(self) -> str | None:
        """The hash of the commit that the index describes; None before the first update."""
        with self._database.problems():
            row = self._database.execute("SELECT value FROM state WHERE name = 'commit'").fetchone()
        return row[0] if row else None

    def update(self, commit: str, progress: Progress | None = None) -> IndexUpdate:
        """Make the index describe the tree of `commit`, a hash or any other name, whatever it described before.

        It is whole at every moment: until the end it describes what it did before, also where this is interrupted.
        Raises UserError where there is no such commit.
        """
        commit = trees.commit_named(self.git_dir, commit)
        files = trees.files_of(self.git_dir, commit)
        skipped = {path: reason for path in files if (reason := texts.left_out(path))}
        wanted = {path: Key(blob, texts.kind_of(path)) for path, blob in files.items() if path not in skipped}
        before = self._keys()
        made = self._read({key: path for path, key in wanted.items() if key not in before}, progress)
        with self._database.writing():
            before = self._keys()  # another process may have changed it
            made |= self._read({key: path for path, key in wanted.items() if key not in before.keys() | made.keys()})
            gone = before.keys() - set(wanted.values())
            self._delete(gone)
            self._insert(row for key, row in made.items() if key not in before and row.reason != texts.MISSING)
            reasons = before | {key: row.reason for key, row in made.items()}
            rows = [
                (path, bytes.fromhex(blob), texts.kind_of(path), skipped.get(path) or reasons[wanted[path]])
                for path, blob in sorted(files.items())
            ]
            self._database.execute("DELETE FROM files")
            self._database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", rows)
            self._database.execute("INSERT OR REPLACE INTO state VALUES ('commit', ?)", [commit])
        self._database.settle()
        return IndexUpdate(commit, len(made), len(gone), _counted(row[3] for row in rows))

    def search(self, question: str, count: int = 20) -> list[Hit]:
        """The best places for a question in words, the best first."""
        corpus = self.corpus()
        if not len(corpus):
            return []
        asked = words(question)
        scores = corpus.words.find(asked).scores(asked)
        order = np.lexsort((np.arange(len(scores)), -scores))[:count]
        return [replace(corpus.hit(place), score=float(scores[place])) for place in order.tolist() if scores[place] > 0]

    def symbols_named(self, name: str) -> list[Hit]:
        """The symbols with this name or qualified name, in the order of their paths."""
        corpus = self.corpus()
        return [
            corpus.hit(int(corpus.starts[number]) + place)
            for number, file in enumerate(corpus.files)
            for place, symbol in enumerate(file.text.symbols)
            if name in (symbol.name, symbol.last_name)
        ]

    def status(self) -> IndexStatus:
        """What the index holds."""
        corpus = self.corpus()
        with self._database.problems():
            reasons = [row[0] for row in self._database.execute("SELECT reason FROM files")]
            places = (Path(f"{self.path}{ending}") for ending in ("", "-wal"))
            size = sum(place.stat().st_size for place in places if place.exists())
        number = len(corpus) - len(corpus.files)
        return IndexStatus(self.commit, len(corpus.files), number, _counted(reasons), has_vectors=False, size=size)

    def corpus(self) -> Corpus:
        """The documents of the commit that the index describes."""
        if self._corpus is None or self._corpus[0] != self.commit:
            with self._database.reading():
                commit = self.commit
                rows = self._database.execute(
                    "SELECT path, files.blob, data FROM files JOIN texts USING (blob, kind) WHERE files.reason = ''"
                )
                files = [File(path, blob.hex(), _decoder.decode(_unpacked(data))) for path, blob, data in rows]
            self._corpus = commit, Corpus(files)
        return self._corpus[1]

    def _keys(self) -> dict[Key, str]:
        """The texts that are kept, and why each is left out, "" where it is not."""
        with self._database.problems():
            rows = self._database.execute("SELECT blob, kind, reason FROM texts").fetchall()
        return {Key(blob.hex(), kind): reason for blob, kind, reason in rows}

    def _read(self, wanted: Mapping[Key, str], progress: Progress | None = None) -> dict[Key, Row]:
        """Texts from git; `wanted` has a path for each."""
        found: dict[Key, Row] = {}
        keys = list(wanted)
        with BlobReader(self.git_dir) as reader:
            sources = reader.read_many([key.blob for key in keys], texts.MAX_BYTES)
            for key, source in zip(keys, sources, strict=True):
                text = Text(texts.LARGE) if source is None else texts.read(source, wanted[key])
                found[key] = Row(bytes.fromhex(key.blob), key.kind, text.reason, _packed(msgspec.msgpack.encode(text)))
                if progress:
                    progress(len(found), len(keys))
        unread = {key.blob for key in keys if found[key].reason == texts.LARGE}
        lost = missing(self.git_dir, unread)
        return {key: row._replace(reason=texts.MISSING) if key.blob in lost else row for key, row in found.items()}

    def _insert(self, rows: Iterable[Row]) -> None:
        self._database.executemany("INSERT INTO texts VALUES (?, ?, ?, ?)", rows)

    def _delete(self, gone: Iterable[Key]) -> None:
        rows = ((bytes.fromhex(key.blob), key.kind) for key in gone)
        self._database.executemany("DELETE FROM texts WHERE blob = ? AND kind = ?", rows)


def _packed(data: bytes) -> bytes:
    return with_checksum(zlib.compress(data, 1))


def _unpacked(row: bytes) -> bytes:
    return zlib.decompress(checked(row))


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    """How many files are left out, by reason."""
    return dict(sorted(Counter(reason for reason in reasons if reason).items()))
