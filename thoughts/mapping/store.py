"""Where the map is kept: what each blob says, and the maps of the last commits, in a file of the cache folder."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import msgspec

from core.git.blobs import BlobReader
from index.database import Database, checked, name_of, with_checksum
from thoughts.mapping.reader import MAX_BYTES, kind_of, read
from thoughts.mapping.reading import Reading

VERSION = 1
"""Of what the file holds; raise it with any change of what is read or concluded."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS readings (
    blob BLOB NOT NULL, kind TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (blob, kind)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS maps (number INTEGER PRIMARY KEY, commit_id TEXT UNIQUE NOT NULL, data BLOB NOT NULL);
"""
MOST_MAPS = 4
"""That are kept, the newest."""
_BATCH = 200
_decoder = msgspec.msgpack.Decoder(Reading)


class MapStore:
    """The file of the repository at `git_dir`. For one thread at a time; several processes may share it."""

    def __init__(self, git_dir: Path, cache_dir: Path) -> None:
        self._git_dir = git_dir
        self._database = Database(_place(git_dir, cache_dir), VERSION, _SCHEMA)

    @staticmethod
    def is_there(git_dir: Path, cache_dir: Path) -> bool:
        """Whether there is such a file."""
        return _place(git_dir, cache_dir).is_file()

    def __enter__(self) -> MapStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._database.close()

    def readings(self, files: Mapping[str, str]) -> dict[str, Reading]:
        """What the files say, given with their blobs; those that are too large or that the clone lacks are left out."""
        known = self._known(files)
        new = {(blob, kind_of(path)): path for path, blob in files.items() if (blob, kind_of(path)) not in known}
        keys = list(new)
        with BlobReader(self._git_dir) as reader:
            for start in range(0, len(keys), _BATCH):  # what was read by then stays when this is interrupted
                known |= self._read(reader, {key: new[key] for key in keys[start : start + _BATCH]})
        kept = {(blob, kind_of(path)) for path, blob in files.items()}
        with self._database.writing():
            gone = ((bytes.fromhex(blob), kind) for blob, kind in self._keys() - kept)
            self._database.executemany("DELETE FROM readings WHERE blob = ? AND kind = ?", gone)
        found = ((path, known.get((blob, kind_of(path)))) for path, blob in files.items())
        return {path: one for path, one in found if one is not None}

    def map_of(self, commit: str) -> bytes | None:
        """The map of a commit, as it was kept."""
        with self._database.problems():
            row = self._database.execute("SELECT data FROM maps WHERE commit_id = ?", [commit]).fetchone()
            return zlib.decompress(checked(row[0])) if row else None

    def keep(self, commit: str, data: bytes) -> None:
        """Keep the map of a commit, in the place of the oldest."""
        packed = with_checksum(zlib.compress(data, 1))
        with self._database.writing():
            self._database.execute("INSERT OR REPLACE INTO maps (commit_id, data) VALUES (?, ?)", [commit, packed])
            line = "DELETE FROM maps WHERE number NOT IN (SELECT number FROM maps ORDER BY number DESC LIMIT ?)"
            self._database.execute(line, [MOST_MAPS])
        self._database.settle()

    def _keys(self) -> set[tuple[str, str]]:
        rows = self._database.execute("SELECT blob, kind FROM readings")
        return {(blob.hex(), kind) for blob, kind in rows}

    def _known(self, files: Mapping[str, str]) -> dict[tuple[str, str], Reading]:
        wanted = {(blob, kind_of(path)) for path, blob in files.items()}
        with self._database.problems():
            rows = self._database.execute("SELECT blob, kind, data FROM readings")
            return {(blob.hex(), kind): _unpacked(data) for blob, kind, data in rows if (blob.hex(), kind) in wanted}

    def _read(self, reader: BlobReader, batch: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], Reading]:
        sources = reader.read_many([blob for blob, _ in batch], MAX_BYTES)
        found = {
            key: read(source, path)
            for (key, path), source in zip(batch.items(), sources, strict=True)
            if source is not None
        }
        rows = [(bytes.fromhex(blob), kind, _packed(one)) for (blob, kind), one in found.items()]
        with self._database.writing():
            self._database.executemany("INSERT OR REPLACE INTO readings VALUES (?, ?, ?)", rows)
        return found


def _place(git_dir: Path, cache_dir: Path) -> Path:
    return cache_dir / "index" / f"{name_of(git_dir)}.map.db"


def _packed(reading: Reading) -> bytes:
    return with_checksum(zlib.compress(msgspec.msgpack.encode(reading), 1))


def _unpacked(row: bytes) -> Reading:
    return _decoder.decode(zlib.decompress(checked(row)))
