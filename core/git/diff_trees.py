"""Trees compared by one `git diff-tree` process."""

from __future__ import annotations

import contextlib
import secrets
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.errors import StageError
from core.git.commands import PIPE_BYTES, command, environment, last_complaint, started
from core.logs import log


class DiffTree:
    """One `git diff-tree --stdin` that is asked again and again, since it keeps what it has unpacked."""

    def __init__(self, git_dir: Path, arguments: Iterable[str], settings: Iterable[str] = ()) -> None:
        line = command(git_dir, "diff-tree", "--stdin", *arguments, settings=settings)
        log.debug("$ %s", shlex.join(line))
        self.end = f"end-{secrets.token_hex(16)}\n".encode()
        """A line without an object id: git repeats it, which marks the end of an answer."""
        self._rest = b""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        self._process = started(
            line,
            git_dir,
            env=environment(replacements=True),
            stdin=subprocess.PIPE,
            stderr=self._errors,
            pipesize=PIPE_BYTES,
        )

    def ask(self, old: str, new: str) -> None:
        """Have it compare two trees; `answer` gives what it prints, in the order of asking."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # reading the answer raises the error
            self._process.stdin.write(f"{old} {new}\n".encode() + self.end)
            self._process.stdin.flush()

    def answer(self) -> Iterator[bytes]:
        """What it prints for the next two trees, in blocks as they come; the last bytes are `end`.

        Raises StageError when git ends before that is all.
        """
        assert self._process.stdout is not None
        if self._process.stdout.closed:
            raise StageError("git diff-tree has ended")
        held = len(self.end) - 1  # the end may straddle two blocks
        data, self._rest = self._rest, b""
        while True:
            found = data.find(self.end)
            if found >= 0:
                self._rest = data[found + len(self.end) :]
                yield data[: found + len(self.end)]
                return
            if len(data) > held:
                yield data[:-held]
                data = data[-held:]
            block = self._process.stdout.read1(1 << 16)  # type: ignore[attr-defined]
            if not block:
                break
            data += block
        self._process.wait()
        self._errors.seek(0)
        raise StageError(f"git diff-tree stopped: {last_complaint(self._errors.read())}")

    def kill(self) -> None:
        """Have it end; an answer that is being read then breaks off."""
        self._process.kill()

    def close(self) -> None:
        """End it, once or more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._errors.close()
