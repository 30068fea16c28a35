"""Contents of blobs through one `git cat-file` process."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from core.errors import StageError
from core.git.commands import command, environment, run, started
from core.logs import log

SUBMODULE_MODE = "160000"
NO_MODE = "000000"
_BLOBS_AHEAD = 500
"""Requests that fit into a pipe, so that neither side waits for the other."""


class BlobReader:
    """Contents of blobs through one `git cat-file` process."""

    def __init__(self, git_dir: Path) -> None:
        """Start git; `close`, or the end of a `with` block, ends it."""
        self._git_dir = git_dir
        line = command(git_dir, "cat-file", "--batch")
        log.debug("$ %s", shlex.join(line))
        self._process = started(line, git_dir, env=environment(), stdin=subprocess.PIPE)

    def __enter__(self) -> BlobReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End git."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def read(self, blob: str, max_bytes: int | None = None) -> bytes | None:
        """The content, or None where the object is missing, no blob, or larger than `max_bytes`.

        Raises StageError when git itself has ended.
        """
        return next(self.read_many([blob], max_bytes))

    def read_tree(self, tree: str) -> bytes | None:
        """A tree as git stores it (`core.git.trees.entries_of`), or None where it is missing, or no tree."""
        return next(self._read_ahead([tree], None, b"tree"))

    def read_commit(self, commit: str) -> bytes | None:
        """A commit as git stores it, or None where the object is missing, or no commit (a tag is none)."""
        return next(self._read_ahead([commit], None, b"commit"))

    def read_many(self, blobs: Sequence[str], max_bytes: int | None = None) -> Iterator[bytes | None]:
        """The same for several, requested ahead so that git need not wait; take all before another call."""
        return self._read_ahead(blobs, max_bytes, b"blob")

    def _read_ahead(self, blobs: Sequence[str], max_bytes: int | None, kind: bytes) -> Iterator[bytes | None]:
        assert self._process.stdin is not None
        for start in range(0, len(blobs), _BLOBS_AHEAD):
            batch = blobs[start : start + _BLOBS_AHEAD]
            try:
                self._process.stdin.write("".join(f"{blob}\n" for blob in batch).encode())
                self._process.stdin.flush()
            except BrokenPipeError:
                raise self._ended(batch[0]) from None
            for blob in batch:
                yield self._take(blob, max_bytes, kind)

    def _take(self, blob: str, max_bytes: int | None, kind: bytes) -> bytes | None:
        assert self._process.stdout is not None
        header = self._process.stdout.readline().split()
        if not header:
            raise self._ended(blob)
        if not header[-1].isdigit():  # "<name> missing"
            return None
        size = int(header[2])
        wanted = header[1] == kind and (max_bytes is None or size <= max_bytes)
        content = self._process.stdout.read(size) if wanted else None
        if not wanted:
            self._skip(size)
        self._process.stdout.read(1)
        return content

    def _ended(self, blob: str) -> StageError:
        return StageError(f"git cat-file ended while reading {blob} from {self._git_dir}", "run again")

    def _skip(self, size: int) -> None:
        assert self._process.stdout is not None
        while size > 0:
            size -= len(self._process.stdout.read(min(size, 1 << 20))) or size


def missing(git_dir: Path, objects: Iterable[str]) -> set[str]:
    """Those of some objects, by their ids, that are not in the repository."""
    wanted = "".join(f"{one}\n" for one in objects)
    if not wanted:
        return set()
    answers = run(git_dir, "cat-file", "--batch-check=%(objectname)", "--buffer", stdin=wanted.encode())
    return {line.split()[0] for line in answers.decode().splitlines() if line.endswith(" missing")}
