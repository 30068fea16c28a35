"""Hardened git command lines: no user or system configuration may change what is read."""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from core.errors import StageError, UserError
from core.logs import log

PIPE_BYTES = 1 << 20
# No user or system configuration may change what is read.
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "TZ": "UTC",
}
# The user named the repository, so its owner is not questioned; its own settings that would
# change the output are overruled.
_SETTINGS = (
    "safe.directory=*",
    "core.quotePath=false",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "diff.renameLimit=1000",
    "diff.orderFile=/dev/null",
    "diff.suppressBlankEmpty=false",
    "log.showSignature=false",
    "log.showRoot=true",
    "log.mailmap=false",
)


class SlowGitError(StageError):
    """A git command took longer than it was given."""


class GoneError(UserError):
    """The repository was deleted or moved since it was opened."""


def command(git_dir: Path, *arguments: str, settings: Iterable[str] = ()) -> list[str]:
    """The full hardened command line."""
    words = [word for setting in (*_SETTINGS, *settings) for word in ("-c", setting)]
    return ["git", "--no-pager", f"--git-dir={git_dir}", *words, *arguments]


def environment(*, replacements: bool = False) -> dict[str, str]:
    """The process environment without git's own variables, plus the hardening ones.

    `replacements` lets refs/replace count, which only our own overlay may ask for.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    found = {**kept, **_ENVIRONMENT}
    if replacements:
        del found["GIT_NO_REPLACE_OBJECTS"]
    return found


def started(line: Sequence[str], git_dir: Path, **options: Any) -> subprocess.Popen[bytes]:
    """A git command that begins to run, with its output to read. Raises GoneError where the repository is not there."""
    try:
        return subprocess.Popen(line, cwd=git_dir, stdout=subprocess.PIPE, **options)
    except FileNotFoundError as error:
        if error.filename == "git":  # the program, not the folder
            raise UserError("the git command was not found", "install git, or put it on the PATH") from None
        raise GoneError(f"there is no repository at {git_dir} any longer", "put it back, or name another one") from None


@functools.cache
def version() -> str:
    """git's own version."""
    return run(Path.cwd(), "version").decode().split()[2]


def run(
    git_dir: Path,
    *arguments: str,
    stdin: bytes = b"",
    accept: Sequence[int] = (0,),
    settings: Iterable[str] = (),
    replacements: bool = False,
    timeout_s: float | None = None,
) -> bytes:
    """Standard output of a git command. Raises StageError with git's own words when it fails.

    Raises SlowGitError where it takes longer than `timeout_s`.
    """
    with stream(
        git_dir,
        *arguments,
        stdin=stdin,
        accept=accept,
        settings=settings,
        replacements=replacements,
        timeout_s=timeout_s,
    ) as output:
        return output.read()


@contextlib.contextmanager
def stream(
    git_dir: Path,
    *arguments: str,
    stdin: bytes = b"",
    accept: Sequence[int] = (0,),
    settings: Iterable[str] = (),
    replacements: bool = False,
    timeout_s: float | None = None,
) -> Iterator[IO[bytes]]:
    """Standard output of a running git command. Raises StageError after the block if git failed.

    What is still running after `timeout_s` is killed; SlowGitError follows after the block.
    """
    line = command(git_dir, *arguments, settings=settings)
    log.debug("$ %s", shlex.join(line))
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as source:
        source.write(stdin)
        source.seek(0)
        process = started(
            line,
            git_dir,
            env=environment(replacements=replacements),
            stdin=source,
            stderr=errors,
            pipesize=PIPE_BYTES,
        )
        assert process.stdout is not None
        timer = threading.Timer(timeout_s, process.kill) if timeout_s else None
        if timer:
            timer.start()
        try:
            yield process.stdout
        except BaseException:
            process.kill()
            raise
        finally:
            process.stdout.close()
            process.wait()
            if timer:
                timer.cancel()
        if timer and process.returncode == -signal.SIGKILL:
            raise SlowGitError(f"git {arguments[0]} took longer than {timeout_s:g} s", "ask about less of the history")
        if process.returncode not in accept:
            errors.seek(0)
            raise StageError(
                f"git {arguments[0]} failed in {git_dir}: {last_complaint(errors.read())}",
                f"check the repository with: git --git-dir={git_dir} fsck",
            )


def decode(data: bytes) -> tuple[str, str]:
    """(text, encoding): UTF-8 where it is valid, else Latin-1, in which every byte has a meaning."""
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def last_complaint(message: bytes) -> str:
    """git's last complaint, in one line."""
    lines = [line.strip() for line in message.decode(errors="replace").splitlines() if line.strip()]
    fatal = [line for line in lines if "fatal:" in line or "error:" in line]
    return (fatal or lines or ["no message"])[-1].strip("' ")
