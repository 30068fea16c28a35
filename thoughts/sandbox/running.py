"""Running a command in a sandbox, watched until it and all that it started are gone."""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import StageError
from thoughts.sandbox.limits import Ended, Limits, Result
from thoughts.sandbox.syscalls import seccomp_program
from thoughts.sandbox.tiers import PROJECT, STARTED, Tier, limited
from thoughts.sandbox.view import view_of
from thoughts.sandbox.watching import Use, children_of, shared_fairly, size_of_folder, use_below

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108
    "TMPDIR": "/tmp",  # noqa: S108
    "USER": "sandbox",
    "LOGNAME": "sandbox",
    "LANG": "C.UTF-8",
}
"""All that a command finds in its environment, beside what is given to it by name."""
TICK_S = 0.02
_ANY = 1 << 40
_NOISE = b"unshare: sigprocmask unblock failed: Invalid argument\n"
"""What util-linux says when the process that it waits for is killed."""


class Sandbox:
    """Folders, limits and an environment in which commands run, one at a time."""

    def __init__(
        self,
        tier: Tier,
        *,
        writable: Path,
        readable: Sequence[Path] = (),
        limits: Limits = Limits(),  # noqa: B008
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Name what commands may read, besides the system's programs, and the folder that they start and write in.

        All keep the paths that they have outside. The environment is `ENVIRONMENT` and what is given here; nothing of
        this process's own. Raises UserError for a folder that is missing or may not be shown.
        """
        self._tier = tier
        self._limits = limits
        self._view = view_of(writable, readable, limits.memory_bytes // 4)
        self._environment = {**ENVIRONMENT, **(environment or {})}
        self._cancelled = threading.Event()

    def run(self, command: Sequence[str]) -> Result:
        """Run a command to its end, or to a limit. When this returns, nothing that it started is left.

        Raises StageError where the sandbox could not be made.
        """
        program = seccomp_program()
        reading, writing = os.pipe()
        os.write(writing, program)
        os.close(writing)
        line = self._tier.line(self._view, reading, limited(self._limits, self._environment, command))
        try:
            process = subprocess.Popen(
                line,
                cwd=PROJECT,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(reading,),
            )
        finally:
            os.close(reading)
        with process:
            try:
                return _Watch(process, self._limits, self._view.writable, self._cancelled).result(self._tier.name)
            except BaseException:
                process.kill()  # the sandbox dies with it
                raise

    def cancel(self) -> None:
        """End what runs, from any thread; a later run ends at once too."""
        self._cancelled.set()


class _Watch:
    """One running sandbox."""

    def __init__(
        self, process: subprocess.Popen[bytes], limits: Limits, folder: str, cancelled: threading.Event
    ) -> None:
        self._process, self._limits, self._folder, self._cancelled = process, limits, folder, cancelled
        self._started = time.monotonic()
        self._printed = {"stdout": bytearray(), "stderr": bytearray()}
        self._peak, self._last = 0, Use()
        self._ended = Ended.DONE
        self._bytes_before, self._files_before = size_of_folder(folder, _ANY)
        self._next_look = 0.0

    def result(self, tier: str) -> Result:
        """Watch to the end and tell about it."""
        status, usage = self._watched()
        stdout, stderr = bytes(self._printed["stdout"]), bytes(self._printed["stderr"])
        if self._ended is Ended.DONE and status < 0:
            self._ended = Ended.KILLED
        if stderr.startswith(STARTED):
            stderr = stderr.removeprefix(STARTED)
        elif self._ended is Ended.DONE:
            said = stderr.decode(errors="replace").strip() or f"exit code {status}"
            raise StageError(f"the sandbox ({tier}) could not be made: {said}", "docs/sandbox.md says what it needs")
        return Result(
            ended=self._ended,
            exit_code=status if self._ended is Ended.DONE else 128 + signal.SIGKILL,
            stdout=stdout,
            stderr=stderr.removesuffix(_NOISE),
            seconds=time.monotonic() - self._started,
            cpu_seconds=max(self._last.cpu_seconds, usage.ru_utime + usage.ru_stime),  # killed, only the former
            peak_memory_bytes=self._peak,
            read_bytes=max(self._last.read_bytes, usage.ru_inblock * 512),
            written_bytes=max(self._last.written_bytes, usage.ru_oublock * 512),
        )

    def _watched(self) -> tuple[int, resource.struct_rusage]:
        """(exit code, what was used) once all has ended."""
        with contextlib.ExitStack() as stack:
            end = os.pidfd_open(self._process.pid)
            stack.callback(os.close, end)
            selector = stack.enter_context(selectors.DefaultSelector())
            selector.register(end, selectors.EVENT_READ, "")
            for name, stream in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
                assert stream is not None
                selector.register(stream, selectors.EVENT_READ, name)
            while True:
                ready = {str(key.data): key.fd for key, _ in selector.select(TICK_S)}
                ended = ready.pop("", None) is not None
                for name, number in ready.items():
                    data = os.read(number, 1 << 16)
                    self._printed[name] += data
                    if not data:
                        selector.unregister(number)
                if ended and not ready:
                    break
                if not ended:
                    self._look()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return self._process.returncode, usage

    def _look(self) -> None:
        """End it where it is over a limit."""
        first = next(iter(children_of(self._process.pid)), 0)
        if self._ended is Ended.DONE:
            self._ended = self._broken_limit(first)
        if self._ended is not Ended.DONE:
            with contextlib.suppress(ProcessLookupError):
                os.kill(first or self._process.pid, signal.SIGKILL)

    def _broken_limit(self, first: int) -> Ended:
        limits = self._limits
        if self._cancelled.is_set():
            return Ended.CANCELLED
        if time.monotonic() - self._started > limits.seconds:
            return Ended.TIMEOUT
        if sum(map(len, self._printed.values())) > limits.output_bytes:
            return Ended.OUTPUT
        use = use_below(first, limits.processes) if first else None
        if use is None:
            return Ended.DONE
        self._peak, self._last = max(self._peak, use.memory_bytes), use
        if use.processes > limits.processes:
            return Ended.PROCESSES
        if use.memory_bytes > limits.memory_bytes and shared_fairly(first) > limits.memory_bytes:
            return Ended.MEMORY
        if use.written_bytes > limits.disk_bytes or self._has_grown_too_far():
            return Ended.DISK
        return Ended.DONE

    def _has_grown_too_far(self) -> bool:
        """Look into the folder, for at most a tenth of the time."""
        began = time.monotonic()
        if began < self._next_look:
            return False
        size, files = size_of_folder(self._folder, self._files_before + self._limits.files)
        self._next_look = began + max(0.2, 10 * (time.monotonic() - began))
        return size - self._bytes_before > self._limits.disk_bytes or files - self._files_before > self._limits.files
