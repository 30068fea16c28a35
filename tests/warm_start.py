"""Programs that start warm: each is a fork of one process in which every import has been done.

Importing torch, transformers and peft takes up to nine seconds of CPU, more than most runs of a tiny model; the project
itself takes another. A fork is a process like any other: the script runs as `__main__`, in its own folder, environment
and process group. Two things differ from a cold start: what is imported, and that all forks hash strings alike.
Where that matters, a test starts `sys.executable`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

LIBRARIES = (
    *("torch", "transformers", "transformers.models.llama.modeling_llama", "peft", "datasets", "matplotlib.pyplot"),
    *("scipy.stats", "sqlalchemy", "alembic.command", "fastapi", "uvicorn", "pydantic", "click", "git", "rich.console"),
    *("rouge_score.rouge_scorer", "sacrebleu", "rapidfuzz.distance", "matplotlib.backends.backend_svg", "re2"),
    *("tree_sitter", "tree_sitter_rust", "tree_sitter_python", "tree_sitter_markdown", "tree_sitter_toml"),
)
PATIENCE_S = 60.0
"""For somebody who asks."""
MOST_BYTES = 100_000
"""Of a request: arguments and environment."""


class Running:
    """A program that was started; like `subprocess.Popen`, with its output in files."""

    def __init__(self, pid: int, reply: socket.socket, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._reply, self._stdout, self._stderr = reply, stdout, stderr

    def wait(self, timeout_s: float | None = None) -> int:
        """The exit code. Raises TimeoutError where the program does not end in time."""
        if self.returncode is None:
            self._reply.settimeout(timeout_s)
            self.returncode = int(self._reply.recv(32))
            self._reply.close()
        return self.returncode

    def poll(self) -> int | None:
        """The exit code, or None as long as the program runs."""
        with contextlib.suppress(BlockingIOError):
            return self.wait(0)
        return None

    def send_signal(self, number: signal.Signals) -> None:
        """To the program alone, not to the processes that it started; a program that has ended gets none."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it ended just now
                os.kill(self.pid, number)

    def kill(self) -> None:
        """The program alone."""
        self.send_signal(signal.SIGKILL)

    def kill_all(self) -> None:
        """The program and the processes that it started, as far as they still run."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def printed(self) -> str:
        """Its standard output so far."""
        return os.pread(self._stdout.fileno(), MOST_BYTES, 0).decode()

    def communicate(self, timeout_s: float | None = None) -> tuple[str, str]:
        """(standard output, standard error) after its end. Raises TimeoutError, and kills what takes longer."""
        try:
            self.wait(timeout_s)
        except TimeoutError:
            self.kill_all()
            raise
        return _text(self._stdout), _text(self._stderr)


def start(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Running:
    """Start `python *arguments` in `folder`, in its own process group: a script, `-m module`, or `-c code`."""
    stdout, stderr = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - the caller reads them
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    request = json.dumps({"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)})
    with theirs:
        files = [stdout.fileno(), stderr.fileno(), theirs.fileno()]
        socket.send_fds(_server(), [request.encode()], files)
    return Running(int(ours.recv(32)), ours, stdout, stderr)


@functools.cache
def _server() -> socket.socket:
    """Where requests go: to a process that all workers of a test run share, whichever needs it first."""
    name = f"\0gitlore-tests-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    while True:
        try:
            ours.connect(name)
        except ConnectionRefusedError:  # nobody listens, yet
            _start_at(name)
            time.sleep(0.01)
        else:
            atexit.register(ours.close)
            return ours


def _start_at(name: str) -> None:
    """Start a server that listens at a name, unless another one is about to."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening, contextlib.suppress(OSError):
        listening.bind(name)
        listening.listen()
        # One thread each: several programs and test workers share the processors.
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        line = [sys.executable, __file__, str(listening.fileno())]
        subprocess.run(line, pass_fds=[listening.fileno()], env=environment, start_new_session=True, check=True)


def _text(file: IO[bytes]) -> str:
    with file:
        file.seek(0)
        return file.read().decode()


def _serve(listening: socket.socket) -> dict[str, Any]:
    """Fork for each request and report each end; returns, in every fork, what it is to run.

    Ends with the last of those that ask; what one of them had started ends with it.
    """
    programs: dict[int, Started] = {}
    """By the handle of its process."""
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        selector.register(stack.enter_context(listening), selectors.EVENT_READ)
        asking: set[socket.socket] = set()
        while True:
            ready = selector.select(None if asking else PATIENCE_S)
            if not ready:  # who started it is gone
                sys.exit()
            for key, _ in ready:
                if key.fd in programs:
                    selector.unregister(key.fd)
                    programs.pop(key.fd).report_end(key.fd)
                    continue
                if key.fileobj is listening:
                    one = stack.enter_context(listening.accept()[0])
                    asking.add(one)
                    selector.register(one, selectors.EVENT_READ)
                    continue
                one = cast("socket.socket", key.fileobj)
                message, files, *_ = socket.recv_fds(one, MOST_BYTES, 3)
                if not message:
                    selector.unregister(one)
                    asking.discard(one)
                    for program in programs.values():
                        program.end_for(one)
                    if not asking:
                        sys.exit()
                    continue
                if not (pid := os.fork()):
                    return _take_place(json.loads(message), *files[:2])
                stdout, stderr, reply = files
                os.close(stdout)
                os.close(stderr)
                os.write(reply, str(pid).encode())
                programs[handle := os.pidfd_open(pid)] = Started(pid, reply, one)
                selector.register(handle, selectors.EVENT_READ)


class Started(NamedTuple):
    """A program that runs."""

    pid: int
    reply: int
    """Where its end is reported."""
    by: socket.socket

    def report_end(self, handle: int) -> None:
        """It has ended."""
        _, status = os.waitpid(self.pid, 0)
        with contextlib.suppress(BrokenPipeError):  # nobody waits for it
            os.write(self.reply, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(handle)
        os.close(self.reply)

    def end_for(self, asker: socket.socket) -> None:
        """The tests of one that asks are over, perhaps by a kill: so is what it started."""
        if self.by is asker:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


def _take_place(request: dict[str, Any], stdout: int, stderr: int) -> dict[str, Any]:
    """Become the program: its session, files, folder and environment."""
    os.setsid()
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), stdout, stderr)):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    return request


def _run(arguments: Sequence[str]) -> int:
    """As `python *arguments` does; the exit code."""
    try:
        if arguments[0] == "-m":
            sys.argv = ["", *arguments[2:]]
            sys.path[:1] = ["", *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        elif arguments[0] == "-c":
            sys.argv = ["-c", *arguments[2:]]
            exec(arguments[1], {"__name__": "__main__"})
        else:
            sys.argv = list(arguments)
            sys.path[0] = str(Path(arguments[0]).resolve().parent)
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - what the interpreter does with what nobody catches
        traceback.print_exc()
        return 1
    return 0


def _modules() -> Iterator[str]:
    """The project's own, but for those that are run by others: commands of packages, migrations."""
    project = Path(__file__).resolve().parent.parent
    sys.path.insert(0, str(project))
    rooms = (
        file
        for room in ("core", "stores", "miners", "index", "chat", "patterns", "thoughts", "services")
        for file in sorted((project / room).rglob("*.py"))
    )
    for file in (*sorted(project.glob("*.py")), *rooms):
        name = ".".join(file.relative_to(project).with_suffix("").parts)
        if not name.endswith(("__", ".env")) and ".migrations." not in name:
            yield name


def main() -> None:
    """Import, serve; and in each fork, run and end, without the second that it takes to free what was imported."""
    if os.fork():  # the server is below none of those that ask: a test may end all that is below its worker
        os._exit(0)
    code = None

    @atexit.register  # the first one, so it is called last
    def end_at_once() -> None:
        if code is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    for library in (*LIBRARIES, *_modules()):
        importlib.import_module(library)
    gc.freeze()  # or each collection in a fork would go through all of it, and copy its pages
    code = _run(_serve(socket.socket(fileno=int(sys.argv[1])))["arguments"])


if __name__ == "__main__":
    main()
