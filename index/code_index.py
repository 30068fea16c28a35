"""The index of a repository's code: symbols and files of one commit, in the cache folder or in PostgreSQL.

Rows are kept by blob, so that bringing the index to another commit reads only texts that are new. What a search sees is
put together from the rows of the commit's files in the order of their paths: it does not depend on how they came there.
"""

from __future__ import annotations

import itertools
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from sqlite3 import DatabaseError
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from core.git import trees
from core.git.blobs import BlobReader, missing
from core.ranking.history import Past
from index import texts, vectors, versions
from index.corpus import Corpus, File
from index.database import Database, checked, name_of, with_checksum
from index.hits import Hit, IndexStatus, IndexUpdate
from index.repository import RepositoryIndex
from index.search import Learned, Searcher, Weights
from index.texts import Text
from index.tree import no_past
from index.versions import Tuned

if TYPE_CHECKING:
    from index.shared_database import SharedDatabase

VERSION = 2
"""Of what the file holds; raise it with any change of texts, terms or symbols."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS texts (
    blob BLOB NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, data BLOB NOT NULL, vectors BLOB NOT NULL,
    UNIQUE (blob, kind)
);
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, blob BLOB NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL);
"""
COMMON, LEAST_COMMON = 0.02, 20
"""Part of all documents, and documents, that have a word which says nothing."""
_BATCH = 200
"""Texts that are read and then written together."""
Progress = Callable[[int, int], None]
"""Is called after each text with how many have been read, and of how many."""
_decoder = msgspec.msgpack.Decoder(Text)
_learned_decoder = msgspec.json.Decoder(Learned)
_tuned_decoder = msgspec.json.Decoder(list[Tuned])


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
    vectors: bytes


class CodeIndex:
    """The index of the repository at `git_dir`. May be used by one thread at a time; several processes may share it.

    It is kept in `cache_dir` or, where there is a `url`, in that PostgreSQL database. Raises UserError where the URL is
    none of PostgreSQL, StageError where the file or the database cannot be used.
    """

    def __init__(self, git_dir: Path, cache_dir: Path, url: str = "") -> None:
        self.git_dir, self.cache_dir = git_dir, cache_dir
        self.path = cache_dir / "index" / f"{name_of(git_dir)}.code.db"
        """Where it is kept without a URL."""
        self.follows_use = False
        """Questions are answered with what use has taught."""
        self._database = _opened(url, git_dir) if url else Database(self.path, VERSION, _SCHEMA)
        self._corpus: tuple[int, Corpus] | None = None
        self._searcher: Searcher | None = None
        self._table = vectors.installed()

    def __enter__(self) -> CodeIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def place(self) -> str:
        """Where it is kept: a file, or a database without credentials."""
        return self._database.place

    @property
    def is_shared(self) -> bool:
        """Whether it is in a database, for all clones."""
        return not isinstance(self._database, Database)

    @property
    def commit(self) -> str | None:
        """The hash of the commit that the index describes; None before the first update."""
        return self._state("commit")

    @property
    def learned(self) -> Learned | None:
        """What `learning.learn` found last; None where nothing was learned."""
        found = self._state("learned")
        return _learned_decoder.decode(found) if found else None

    @property
    def base(self) -> Weights:
        """What the history has taught, or the weights that come with the program."""
        return found.weights if (found := self.learned) else Weights.shipped()

    @property
    def weights(self) -> Weights:
        """Those that questions are answered with."""
        return self.taught if self.follows_use else self.base

    @property
    def taught(self) -> Weights:
        """What use has taught, as long as the weights that it was learned on top of are the base; else these."""
        base, tuned = self.base, versions.current(self.tuned)
        if tuned is None or tuned.base != base.version:
            return base
        return Weights(base.files, tuned.documents, base.made_from)

    @property
    def tuned(self) -> list[Tuned]:
        """The weights that use has taught, the newest last."""
        return _tuned_decoder.decode(self.note("tuned") or "[]")

    def keep_tuned(self, tuned: Sequence[Tuned]) -> None:
        """From now on, use has taught the current one of these."""
        self.keep_note("tuned", msgspec.json.encode(tuned).decode())

    def note(self, name: str) -> str:
        """What was kept under a name; "" where nothing was."""
        return self._state(name) or ""

    def keep_note(self, name: str, text: str) -> None:
        """Keep a text with the index, whatever commit it describes."""
        with self._database.writing():
            self._write_state({name: text})

    def keep(self, learned: Learned) -> None:
        """Answer questions with these weights from now on, also at other commits."""
        with self._database.writing():
            self._write_state({"learned": msgspec.json.encode(learned).decode()})

    @property
    def size(self) -> int:
        """Bytes on disk."""
        with self._database.problems():
            return self._database.size

    def update(self, commit: str, progress: Progress | None = None) -> IndexUpdate:
        """Make the index describe the tree of `commit`, a hash or any other name, whatever it described before.

        Until the end it describes what it did before, also where this is interrupted; texts that were read by then
        need not be read again.
        Raises UserError where there is no such commit.
        """
        commit = trees.commit_named(self.git_dir, commit)
        files = trees.files_of(self.git_dir, commit)
        skipped, wanted = self._wanted(files)
        new, lost = self._read(wanted, progress)
        with self._database.writing():
            before = self._keys()
            lost |= self._add({key: path for path, key in wanted.items() if key not in before.keys() | lost.keys()})
            gone = before.keys() - set(wanted.values()) - self._used_by_others()
            self._delete(gone)
            reasons = {**self._keys(), **lost}
            rows = [
                (path, bytes.fromhex(blob), self._key(path, blob).kind, skipped.get(path) or reasons[wanted[path]])
                for path, blob in sorted(files.items())
            ]
            self._database.execute("DELETE FROM files")
            self._database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", rows)
            self._write_state({"commit": commit, "vectors": self._vectors, "files": _digest(rows)})
        self._corpus = None
        self._database.settle()
        return IndexUpdate(commit, new, len(gone), _counted(row[3] for row in rows))

    def prepare(self, commit: str) -> int:
        """Read the new texts of a commit ahead, so that `update` has little left to do; how many there were.

        The index goes on describing what it does. Raises UserError where there is no such commit.
        """
        commit = trees.commit_named(self.git_dir, commit)
        new, _ = self._read(self._wanted(trees.files_of(self.git_dir, commit))[1], None)
        with RepositoryIndex(self.git_dir, self.cache_dir) as known:
            known.commits(commit)
        return new

    def _wanted(self, files: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Key]]:
        """By path: why a file is left out whatever it holds; of all others, what its text is kept under."""
        skipped = {path: reason for path in files if (reason := texts.left_out(path))}
        return skipped, {path: self._key(path, blob) for path, blob in files.items() if path not in skipped}

    def _read(self, wanted: Mapping[str, Key], progress: Progress | None) -> tuple[int, dict[Key, str]]:
        """Read the texts that are not there, and keep them; how many they are, and those that the clone lacks."""
        new = {key: path for path, key in wanted.items()}
        for key in self._keys():
            new.pop(key, None)
        lost: dict[Key, str] = {}
        done = itertools.count(1)

        def was_read() -> None:
            if progress:
                progress(next(done), len(new))

        for batch in _batches(new):  # nobody sees them before the list of files names them
            with self._database.writing():
                unread = self._unread(batch)
                lost |= self._add(unread, was_read)
            for _ in range(len(batch) - len(unread)):
                was_read()
        return len(new), lost

    def copied(self, folder: Path) -> CodeIndex:
        """A copy with a file of its own in another cache folder, which may be brought to other commits."""
        copy = CodeIndex(self.git_dir, folder)
        with self._database.reading(), copy._database.writing():
            for table, columns in (("texts", 5), ("files", 4), ("state", 2)):
                marks = ",".join("?" * columns)
                rows = self._database.execute(f"SELECT * FROM {table}")  # noqa: S608 - a name of ours
                copy._database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
        return copy

    def search(self, question: str, count: int = 20) -> list[Hit]:
        """The best places for a question in words, the best first."""
        return self.searcher().search(question, count, self.weights)

    def search_files(self, question: str, count: int = 20) -> list[Hit]:
        """The best whole files for a question, the best first."""
        return self.searcher().search_files(question, count, self.weights)

    def symbols_named(self, name: str) -> list[Hit]:
        """The symbols with this name or qualified name, in the order of their paths."""
        corpus = self.corpus()
        return [corpus.hit(document) for document in corpus.by_name.get(name, [])]

    def is_common(self, word: str) -> bool:
        """Whether a stem is in more documents, symbols or files, than COMMON and LEAST_COMMON."""
        corpus = self.corpus()
        return len(corpus.words.find([word]).hits) > max(LEAST_COMMON, COMMON * len(corpus))

    def status(self) -> IndexStatus:
        """What the index holds."""
        corpus = self.corpus()
        with self._database.problems():
            reasons = [row[0] for row in self._database.execute("SELECT reason FROM files")]
        number = len(corpus) - len(corpus.files)
        return IndexStatus(
            self.commit, len(corpus.files), number, _counted(reasons), has_vectors=self._has_vectors, size=self.size
        )

    def searcher(self) -> Searcher:
        """What finds answers in it, with the past of the commit that the index describes."""
        corpus, commit = self.corpus(), self.commit
        if self._searcher is None or self._searcher.corpus is not corpus:
            past = no_past()
            if commit is not None:
                with RepositoryIndex(self.git_dir, self.cache_dir) as known:
                    past = Past.of(known.commits(commit), commit)
            self._searcher = Searcher(corpus, past, self._table)
        return self._searcher

    def corpus(self) -> Corpus:
        """The documents of the commit that the index describes."""
        changes = self._database.changes_by_others()
        if self._corpus is None or self._corpus[0] != changes:
            with self._database.reading():
                has_vectors = self._has_vectors
                listing = self._database.execute("SELECT path, blob, kind, reason FROM files ORDER BY path").fetchall()
                if _digest(listing) != (self._state("files") or _digest([])):
                    raise DatabaseError("the list of files has changed since it was written")
                rows = self._database.execute(
                    "SELECT path, files.blob, data, vectors FROM files LEFT JOIN texts USING (blob, kind)"
                    " WHERE files.reason = ''"
                )
                files = [_file(*row, has_vectors=has_vectors) for row in rows]
            self._corpus = changes, Corpus(files)
        return self._corpus[1]

    def _state(self, name: str) -> str | None:
        with self._database.problems():
            row = self._database.execute("SELECT value FROM state WHERE name = ?", [name]).fetchone()
            return checked(row[0]).decode() if row else None

    def _write_state(self, values: Mapping[str, str]) -> None:
        rows = [(name, with_checksum(value.encode())) for name, value in values.items()]
        self._database.executemany("DELETE FROM state WHERE name = ?", ((name,) for name in values))
        self._database.executemany("INSERT INTO state VALUES (?, ?)", rows)

    @property
    def _vectors(self) -> str:
        """The kind of vectors that texts get now."""
        return vectors.NAME if self._table else ""

    @property
    def _has_vectors(self) -> bool:
        return bool(self._state("vectors"))

    def _key(self, path: str, blob: str) -> Key:
        return Key(blob, f"{texts.kind_of(path)} {self._vectors}")

    def _keys(self) -> dict[Key, str]:
        """The texts that are kept, and why each is left out, "" where it is not."""
        with self._database.problems():
            rows = self._database.execute("SELECT blob, kind, reason FROM texts").fetchall()
        return {Key(blob.hex(), kind): reason for blob, kind, reason in rows}

    def _unread(self, batch: Mapping[Key, str]) -> dict[Key, str]:
        """The texts of a batch that no other process has read meanwhile."""
        marks = ",".join("?" * len(batch))
        line = f"SELECT blob, kind FROM texts WHERE blob IN ({marks})"  # noqa: S608 - question marks alone
        rows = self._database.execute(line, [bytes.fromhex(key.blob) for key in batch])
        there = {Key(blob.hex(), kind) for blob, kind in rows}
        return {key: path for key, path in batch.items() if key not in there}

    def _add(self, wanted: Mapping[Key, str], was_read: Callable[[], None] = lambda: None) -> dict[Key, str]:
        """Read texts from git and keep them; `wanted` has a path for each. Gives those that the clone lacks."""
        keys = list(wanted)
        with BlobReader(self.git_dir) as reader:
            sources = reader.read_many([key.blob for key in keys], texts.MAX_BYTES)
            rows = []
            for key, source in zip(keys, sources, strict=True):
                rows.append(self._row(key, source, wanted[key]))
                was_read()
        lost = missing(
            self.git_dir, [key.blob for key, row in zip(keys, rows, strict=True) if row.reason == texts.LARGE]
        )
        kept = [row for key, row in zip(keys, rows, strict=True) if key.blob not in lost]
        self._database.executemany("INSERT INTO texts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", kept)
        return {key: texts.MISSING for key in keys if key.blob in lost}

    def _row(self, key: Key, source: bytes | None, path: str) -> Row:
        found = texts.Parsed.left_out(texts.LARGE) if source is None else texts.parsed(source, path)
        data = _packed(msgspec.msgpack.encode(texts.text_of(found)))
        own = self._table.of_documents(found.words).tobytes() if self._table else b""
        return Row(bytes.fromhex(key.blob), key.kind, found.reason, data, with_checksum(own))

    def _used_by_others(self) -> set[Key]:
        return {Key(blob.hex(), kind) for blob, kind in self._database.used_by_others()}

    def _delete(self, gone: Iterable[Key]) -> None:
        rows = ((bytes.fromhex(key.blob), key.kind) for key in gone)
        self._database.executemany("DELETE FROM texts WHERE blob = ? AND kind = ?", rows)


def _opened(url: str, git_dir: Path) -> SharedDatabase:
    from index.shared_database import SharedDatabase  # loads SQLAlchemy, which a file does not need

    return SharedDatabase(url, git_dir, VERSION)


def _packed(data: bytes) -> bytes:
    return with_checksum(zlib.compress(data, 1))


def _unpacked(row: bytes) -> bytes:
    return zlib.decompress(checked(row))


def _batches(wanted: Mapping[Key, str]) -> Iterator[dict[Key, str]]:
    items = list(wanted.items())
    for start in range(0, len(items), _BATCH):
        yield dict(items[start : start + _BATCH])


def _digest(rows: Iterable[tuple[str, bytes, str, str]]) -> str:
    """Of the rows of `files`, by path: another one if any has changed, is gone or was added."""
    return f"{zlib.crc32(msgspec.msgpack.encode(list(rows))):08x}"


def _file(path: str, blob: bytes, data: bytes, stored: bytes, *, has_vectors: bool) -> File:
    text = _decoder.decode(_unpacked(data))
    own = np.frombuffer(checked(stored), np.float16).reshape(-1, vectors.WIDTH) if has_vectors else None
    return File(path, blob.hex(), text, own)


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    """How many files are left out, by reason."""
    return dict(sorted(Counter(reason for reason in reasons if reason).items()))
