"""The files of a team's adapters: each named by the hash of its bytes, each there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import StageError
from core.files import make_folder, remove, sha256_of

MOST_BYTES = 512 << 20
"""Of a file, unless it is set otherwise."""
ABANDONED_S = 86_400.0
"""What was being received so long ago is of nobody who is still at it."""
_RECEIVED = ".received-"
_HINT = "add the adapter once more"


@dataclass(frozen=True)
class Packed:
    """An archive that is on disk, but not yet in its place."""

    path: Path
    id: str
    """sha256 of its bytes."""
    size: int


class AdapterFiles:
    """A folder with one archive for each version of a team's adapters."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self.most_bytes = folder, most_bytes

    def path(self, adapter: str) -> Path:
        """Where the file of a version is."""
        return self._folder / f"{adapter}.tar"

    def check(self, adapter: str) -> Path:
        """The file of a version. Raises StageError where it is missing, or is not what its name says."""
        path = self.path(adapter)
        if not path.is_file():
            raise StageError(f"the file of the adapter {adapter} is missing: {path}", _HINT)
        if sha256_of(path) != adapter:
            raise StageError(f"the file of the adapter {adapter} is damaged: {path}", _HINT)
        return path

    def sized(self, adapter: str, size: int) -> Path:
        """The file of a version, which has `size` bytes. Raises StageError where it has not; it is not read."""
        path = self.path(adapter)
        if not path.is_file() or path.stat().st_size != size:
            raise StageError(f"the file of the adapter {adapter} is missing or damaged: {path}", _HINT)
        return path

    def is_whole(self, adapter: str) -> bool:
        """Whether the file of a version is there and is what its name says."""
        return self.path(adapter).is_file() and sha256_of(self.path(adapter)) == adapter

    @contextlib.contextmanager
    def receiving(self) -> Iterator[Path]:
        """A folder for what is being received, which is gone behind the block. Raises StageError on a full disk."""
        make_folder(self._folder)
        place = Path(tempfile.mkdtemp(prefix=_RECEIVED, dir=self._folder))
        try:
            yield place
        except OSError as error:
            message = f"{self._folder} cannot be written: {error.strerror or error}"
            raise StageError(message, "free some disk space; the adapters are as they were") from None
        finally:
            remove(place)

    def pack(self, folder: Path, place: Path) -> Packed:
        """The archive of an adapter's folder, written within `place` and read once more from the disk."""
        from patterns.adapters import archive

        path = place / "packed.tar"
        with path.open("wb") as file:
            archive.pack(folder, file)
            file.flush()
            os.fsync(file.fileno())
        return Packed(path, sha256_of(path), path.stat().st_size)

    def keep(self, packed: Packed) -> None:
        """Move an archive to its place, and wait until the disk knows."""
        packed.path.replace(self.path(packed.id))
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def sweep(self, known: set[str]) -> int:
        """Remove archives that no version is known of, and what was never received; how many files those were.

        To be called while nobody else can move an archive to its place.
        """
        if not self._folder.is_dir():
            return 0
        gone = [path for path in self._folder.glob("*.tar") if path.stem not in known]
        old = time.time() - ABANDONED_S
        for path in self._folder.glob(f"{_RECEIVED}*"):
            with contextlib.suppress(FileNotFoundError):  # whoever received it has just finished
                gone += [path] if path.stat().st_mtime < old else []
        for path in gone:
            remove(path)
        return len(gone)
