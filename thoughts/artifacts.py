"""What jobs leave as evidence: files named by their contents, in a folder of bounded size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.files import atomic_write
from core.text.redaction import Redactor
from stores.engine.database import Database
from thoughts.kind import Artifact

_REDACTOR = Redactor()


class Artifacts:
    """The folder, and the database that knows what is in it. Those who write take turns, by its transactions."""

    def __init__(self, folder: Path, database: Database, most_bytes: float) -> None:
        self.folder, self.most_bytes = folder, most_bytes
        self._artifacts, self._uses = database.table("artifacts"), database.table("run_artifacts")
        self._insights = database.table("insights")

    def path(self, sha256: str) -> Path:
        """Where a content is kept."""
        return _path(self.folder, sha256)

    def read(self, sha256: str) -> bytes | None:
        """A content; None where it is gone, or is no longer what it was."""
        try:
            data = self.path(sha256).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def keep(self, connection: Connection, run_id: int, artifacts: Iterable[Artifact], now: float) -> dict[str, str]:
        """Keep what a run left, texts without credentials; the contents' names by those of the artifacts."""
        kept: dict[str, str] = {}
        for one in artifacts:
            data = _masked(one.data)
            sha256 = hashlib.sha256(data).hexdigest()
            if self.read(sha256) is None:
                with atomic_write(self.path(sha256)) as file:
                    file.write(data)
            connection.execute(sa.delete(self._artifacts).filter_by(sha256=sha256))
            connection.execute(sa.insert(self._artifacts).values(sha256=sha256, bytes=len(data), at=now))
            kept[one.name] = sha256
        rows = [{"run_id": run_id, "name": name, "sha256": sha256} for name, sha256 in kept.items()]
        if rows:
            connection.execute(sa.insert(self._uses), rows)
        self._sweep(connection, set(kept.values()))
        return kept

    def _sweep(self, connection: Connection, new: set[str]) -> None:
        """Delete the oldest until the rest fits; what a kept insight stands on, and what is new, stays."""
        kept = (
            sa.select(self._uses.c.sha256)
            .join(self._insights, self._insights.c.run_id == self._uses.c.run_id)
            .where(self._insights.c.state == "kept")
        )
        stays = new | set(connection.execute(kept).scalars())
        rows = connection.execute(sa.select(self._artifacts).order_by(self._artifacts.c.at)).all()
        excess = sum(row.bytes for row in rows) - self.most_bytes
        for row in rows:
            if excess <= 0:
                return
            if row.sha256 not in stays:
                connection.execute(sa.delete(self._artifacts).filter_by(sha256=row.sha256))
                self.path(row.sha256).unlink(missing_ok=True)
                excess -= row.bytes


def folder_of(cache_dir: Path) -> Path:
    """Where the files of studies are kept."""
    return cache_dir.resolve() / "study" / "artifacts"


def place_of(cache_dir: Path, data: bytes) -> Path:
    """Where a file will be once it is kept, for commands that read it."""
    return _path(folder_of(cache_dir), hashlib.sha256(_masked(data)).hexdigest())


def _path(folder: Path, sha256: str) -> Path:
    return folder / sha256[:2] / sha256


def _masked(data: bytes) -> bytes:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    return _REDACTOR.masked(text).encode() if _REDACTOR.suspects([text]) else data
