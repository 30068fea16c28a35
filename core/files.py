"""Files written whole or not at all, and their digests."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from core.errors import UserError


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that appears at `path` only when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def make_folder(path: Path) -> None:
    """Make a folder for outputs. Raises UserError if a file is in its way."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"{path} is not a folder", "outputs need a folder to go to") from None


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with atomic_write(path) as file:
        file.write(json.dumps(value, indent=2, ensure_ascii=False).encode())
        file.write(b"\n")


def remove(path: Path) -> None:
    """Remove a file or folder; one that is not there is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Bytes in a file, or in all files of a folder."""
    return sum(file.stat().st_size for file in files_in(path))


def files_in(path: Path) -> list[Path]:
    """The file itself, or all files below the folder in name order."""
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


class Digests:
    """SHA-256 of files and folders, read again only where size or modification time changed.

    Answers are kept by inode in one JSON file: a rename keeps them, and a run with nothing to
    do does not read gigabytes to find that out.
    """

    MAX_ENTRIES = 5000

    def __init__(self, store: Path) -> None:
        self._store = store
        self._changed = False
        try:
            known: dict[str, list[Any]] = json.loads(store.read_bytes())
            self._known = {key: entry for key, entry in known.items() if len(entry) == 3}
        except (OSError, ValueError, RecursionError, AttributeError, TypeError):  # lost or broken: read again
            self._known = {}

    def of(self, path: Path) -> str | None:
        """Hex digest of a file, or of a folder's names and contents; None where there is nothing."""
        if path.is_file():
            return self._of_file(path)
        if not path.is_dir():
            return None
        total = hashlib.sha256()
        for file in files_in(path):
            total.update(f"{file.relative_to(path).as_posix()}\0{self._of_file(file)}\n".encode())
        return total.hexdigest()

    def save(self) -> None:
        """Keep what was learned for the next run; on a full disk that run just reads the files again."""
        if self._changed:
            with contextlib.suppress(OSError):
                write_json(self._store, dict(list(self._known.items())[-self.MAX_ENTRIES :]))
            self._changed = False

    def recall(self, path: Path, name: str, compute: Callable[[Path], Any]) -> Any:
        """What `compute` makes of the file (JSON-ready), computed again only where the file has changed."""
        status = path.stat()
        key, stamp = f"{status.st_dev}:{status.st_ino}{name}", [status.st_size, status.st_mtime_ns]
        known = self._known.get(key)
        if known and known[:2] == stamp:
            return known[2]
        value = compute(path)
        self._known[key] = [*stamp, value]
        self._changed = True
        return value

    def _of_file(self, path: Path) -> str:
        return str(self.recall(path, "", sha256_of))


def sha256_of(path: Path) -> str:
    """The digest of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
