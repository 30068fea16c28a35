"""Trying every way out of a sandbox on this machine: outside of it, where that is safe, and in each kind that works."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thoughts.sandbox.escapes import ESCAPES, HEAVY
from thoughts.sandbox.limits import Limits, Result
from thoughts.sandbox.running import Sandbox
from thoughts.sandbox.standing import standing
from thoughts.sandbox.tiers import Tier

OUTSIDE = "outside"
DETACHED = "detached"
LIMITS = Limits(seconds=120, memory_bytes=512 << 20, processes=64, disk_bytes=256 << 20, files=500)
"""Those of every attempt. Time is generous: none of them is about time."""
_NOT_OUTSIDE = {"memory_in_folders": "it would fill this machine's disk"}
_PROGRAM = Path(__file__).with_name("escapes.py")
_WAIT_S = 60.0


@dataclass(frozen=True)
class Attempt:
    """What became of one way out at one place."""

    name: str
    place: str
    """`OUTSIDE`, or the name of a tier."""
    reached: bool
    what: str
    """What was reached, or why nothing was."""
    tried: bool = True


def attempts(names: Sequence[str] = ()) -> Iterator[Attempt]:
    """What became of every way out, or of some: first outside, then in each tier that works here."""
    wanted = names or (*ESCAPES, DETACHED)
    light = [name for name in wanted if name in ESCAPES and name not in HEAVY]
    for tier in (None, *standing().working):
        if light:
            yield from _tried(light, tier)
        for name in wanted:
            if name in HEAVY:
                yield from _tried([name], tier)
            elif name == DETACHED:
                yield _detaching(tier)


def question(name: str) -> str:
    """What a way out tries, in words."""
    return "outlive being cancelled" if name == DETACHED else str(ESCAPES[name].__doc__)


def _tried(names: Sequence[str], tier: Tier | None) -> Iterator[Attempt]:
    """Several ways out in one run; those that it did not come to were stopped by its end."""
    place = tier.name if tier else OUTSIDE
    if tier is None and (reason := _NOT_OUTSIDE.get(names[0])):
        yield Attempt(names[0], place, False, reason, tried=False)
        return
    with _bait() as bait:
        program = Path(bait["writable"], "escapes.py")
        shutil.copy(_PROGRAM, program)
        command = [_python(), "-ISB", str(program), json.dumps(bait), *names]
        if tier is None:
            environment = {**os.environ, bait["variable"]: "secret"}
            done = subprocess.run(command, capture_output=True, check=False, env=environment)
            printed, otherwise = done.stdout, f"it ended with exit code {done.returncode}"
        else:
            os.environ[bait["variable"]] = "secret"
            result = _sandbox(tier, bait["writable"]).run(command)
            del os.environ[bait["variable"]]
            printed, otherwise = result.stdout, _how(result)
    found = {name: (bool(reached), what) for name, reached, what in map(json.loads, printed.splitlines())}
    for name in names:
        yield Attempt(name, place, *found.get(name, (False, otherwise)))


def _how(result: Result) -> str:
    said = result.stderr.decode(errors="replace").strip().splitlines()
    return result.why if result.exit_code in (0, 137) else f"exit code {result.exit_code}: {' '.join(said[-1:])}"


def _sandbox(tier: Tier, writable: str) -> Sandbox:
    base = Path(sys.base_prefix)
    readable = [] if base.is_relative_to("/usr") else [base]
    return Sandbox(tier, writable=Path(writable), readable=readable, limits=LIMITS)


def _python() -> str:
    """The interpreter under a virtual environment, which every sandbox can show without it."""
    return str(Path(sys.executable).resolve())


@contextlib.contextmanager
def _bait() -> Iterator[dict[str, Any]]:
    """Things outside of a sandbox that an escape could reach; gone afterwards."""
    mark, name = secrets.token_hex(8), secrets.token_hex(8)
    variable = f"GITLORE_BAIT_{mark}"
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gitlore-probe-")))
        (folder / "writable").mkdir()
        (folder / "secret").write_text("secret", encoding="utf-8")
        (folder / "writable" / "link").symlink_to(folder / "secret")
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for address in (f"\0gitlore-{mark}", str(folder / "socket")):
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(address)
            listening.listen()
        victim = _victim(name, variable)
        stack.callback(_end, victim)
        yield {
            "secret": str(folder / "secret"),
            "writable": str(folder / "writable"),
            "link": str(folder / "writable" / "link"),
            "socket": str(folder / "socket"),
            "abstract": f"gitlore-{mark}",
            "port": server.getsockname()[1],
            "variable": variable,
            "marker_reversed": name[::-1],  # the attempt's own command line is not what it looks for
            "victim": victim.pid,
        }


def _victim(mark: str, variable: str) -> subprocess.Popen[bytes]:
    """A process of the host, once it has begun."""
    script = "import sys; print(flush=True); sys.stdin.read()"
    victim = subprocess.Popen(
        [_python(), "-ISB", "-c", script, mark],
        env={**os.environ, variable: "secret"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert victim.stdout is not None
    victim.stdout.readline()
    return victim


def _end(process: subprocess.Popen[bytes]) -> None:
    with process:
        process.kill()


def _detaching(tier: Tier | None) -> Attempt:
    """A process that has left its parent, its group and its session, and what is left of it once all is ended."""
    mark = f"864{secrets.randbelow(10**6):06}"
    script = f'(setsid /bin/sh -c "touch ready; exec sleep {mark}" >/dev/null 2>&1 </dev/null &); sleep 60'
    with tempfile.TemporaryDirectory(prefix="gitlore-probe-") as folder:
        command, ready = ["/bin/sh", "-c", script], Path(folder, "ready")
        if tier is None:
            process = subprocess.Popen(command, cwd=folder, start_new_session=True)
            _wait_for(ready)
            ended = time.monotonic()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        else:
            sandbox = _sandbox(tier, folder)
            running = threading.Thread(target=sandbox.run, args=(command,))
            running.start()
            _wait_for(ready)
            ended = time.monotonic()
            sandbox.cancel()
            running.join()
        took = time.monotonic() - ended
        left = _processes_with(mark)
        for number in left:
            os.kill(number, signal.SIGKILL)
    place = tier.name if tier else OUTSIDE
    return Attempt(DETACHED, place, bool(left), "still there" if left else f"gone after {took:.2f} s")


def _wait_for(path: Path) -> None:
    until = time.monotonic() + _WAIT_S
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.01)


def _processes_with(word: str) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word.encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found
