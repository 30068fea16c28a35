"""The adapters of a team on its server, as a member's machine speaks with it: the operations of `Versions`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from core.errors import StageError
from core.files import sha256_of
from patterns.adapters.merging import MergeRequest
from patterns.memory.remote import Remote

_AT_ONCE = 1 << 20


class RemoteAdapters:
    """The adapters of the team that the key belongs to."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    @property
    def merges(self) -> RemoteMerges:
        """The merges of adapters that were asked for."""
        return RemoteMerges(self._remote)

    def page(self, limit: int, cursor: str = "") -> dict[str, Any]:
        """`adapters`, the newest first, and `active` by base."""
        return self._remote.ask("GET", "/adapters", params={"limit": limit, "cursor": cursor})

    def one(self, adapter: str) -> dict[str, Any]:
        """A version by its id, the beginning of it, or its name."""
        return self._remote.ask("GET", f"/adapters/{quote(adapter, safe='')}")

    def add(self, parts: Iterable[bytes], name: str) -> tuple[dict[str, Any], bool]:
        """Add the version in an archive, and whether it is new."""
        with tempfile.TemporaryFile() as file:
            for part in parts:
                file.write(part)
            headers = {"Content-Length": str(file.tell()), "Content-Type": "application/x-tar"}

            def again() -> Iterator[bytes]:
                file.seek(0)
                return iter(lambda: file.read(_AT_ONCE), b"")

            row = self._remote.ask("POST", "/adapters", body=again, params={"name": name}, headers=headers)
        return row, row["status"] == "added"

    def activate(
        self, adapter: str, *, force: bool = False, reason: str = "", replaces: str | None = None
    ) -> dict[str, Any]:
        """Make a version the active one of its base; the activation that then holds."""
        body = {"force": force, "reason": reason, "replaces": replaces}
        return self._remote.ask("POST", f"/adapters/{quote(adapter, safe='')}/activate", json=body)

    def rollback(self, base: str = "", *, reason: str = "") -> dict[str, Any]:
        """Activate what was active before the active one; the activation that then holds."""
        return self._remote.ask("POST", "/adapters/rollback", json={"base": base, "reason": reason})

    def fetch(self, adapter: str, target: Path) -> str:
        """Write the archive of a version into a file; its id. Raises StageError where other bytes came."""
        id_ = str(self.one(adapter)["id"])
        with target.open("wb") as file:
            self._remote.download(f"/adapters/{id_}/file", file)
        if sha256_of(target) != id_:
            raise StageError(f"the file of the adapter {id_} did not come as a whole", "download it once more")
        return id_


class RemoteMerges:
    """Merges that the server does."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def ask(self, asked: MergeRequest) -> dict[str, Any]:
        """Put a job into the queue."""
        return self._remote.ask("POST", "/adapters/merge", json=asked.model_dump(mode="json"))

    def one(self, job: str) -> dict[str, Any]:
        """A job: its status, and its result or the reasons against it."""
        return self._remote.ask("GET", f"/adapters/merge/{job}")

    def work_off(self) -> int:
        """The server does it: nothing is done here."""
        return 0
