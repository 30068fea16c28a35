"""The two ways to make a sandbox, each as the line that starts a command in it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from thoughts.sandbox.limits import Limits
from thoughts.sandbox.view import TEMPORARY, View, links

STARTED = b"sandboxed\n"
"""The first line of standard error once the sandbox is there; without it, setting it up has failed."""
_FIRST = f'echo {STARTED.decode().strip()} >&2; "$@"; exit $?'
"""The first process of the sandbox. With its end the kernel ends all others, and their use is counted with it."""
PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Tier:
    """One way to make a sandbox."""

    name: str
    program: str
    """The program of the system that it needs, and the package that brings it where it is missing."""
    package: str
    line: Callable[[View, int, Sequence[str]], list[str]]
    """From the view, the descriptor of the filter of system calls, and a command."""


def bubblewrap_line(view: View, filter_fd: int, command: Sequence[str]) -> list[str]:
    """A command in bubblewrap."""
    line = [_program("bwrap"), "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    line += ["--unshare-cgroup-try", "--hostname", "sandbox", "--die-with-parent", "--new-session", "--as-pid-1"]
    line += ["--cap-drop", "ALL", "--seccomp", str(filter_fd), "--proc", "/proc", "--dev", "/dev"]
    for path in TEMPORARY:
        line += ["--size", str(view.temporary_bytes), "--tmpfs", path]
    for path, target in links():
        line += ["--symlink", target, path]
    for path in view.readable_in_order():
        line += ["--ro-bind", path, path]
    line += ["--bind", view.writable, view.writable]
    for path in (
        "/proc",
        "/dev",
        "/",
    ):  # root could write to /proc/sys without any capability, and / and /dev are memory
        line += ["--remount-ro", path]
    return [*line, "--chdir", view.writable, "--", *command]


def unshare_line(view: View, filter_fd: int, command: Sequence[str]) -> list[str]:
    """A command in namespaces made by util-linux, with landlock; `enter` sets them up from inside."""
    wanted = {
        "writable": view.writable,
        "readable": view.readable_in_order(),
        "links": list(links()),
        "temporary_bytes": view.temporary_bytes,
        "filter_fd": filter_fd,
        "command": list(command),
    }
    line = [_program("setpriv"), "--pdeathsig", "KILL", _program("unshare"), "--user", "--map-current-user"]
    line += ["--keep-caps", "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child"]
    return [*line, sys.executable, "-EsSB", "-m", "thoughts.sandbox.enter", json.dumps(wanted)]


TIERS = (
    Tier("bubblewrap", "bwrap", "bubblewrap", bubblewrap_line),
    Tier("unshare", "unshare", "util-linux", unshare_line),
)
"""In the order in which they are preferred."""


def limited(limits: Limits, environment: Mapping[str, str], command: Sequence[str]) -> list[str]:
    """A command under the limits that the kernel keeps for each process, as the sandbox's first process starts it.

    Only here does it get its environment: a name like LD_PRELOAD would run its code in what makes the sandbox.
    """
    line = [
        "/bin/sh",
        "-c",
        _FIRST,
        "sh",
        "/usr/bin/env",
        "-i",
        *(f"{name}={value}" for name, value in environment.items()),
    ]
    line += ["/usr/bin/nice", "/usr/bin/prlimit", "--core=0"]
    line += [
        "--nofile=1024",
        f"--data={limits.memory_bytes}",
        f"--fsize={limits.disk_bytes}",
        f"--nproc={limits.processes + 1}",
    ]
    return [*line, "--", *command]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UserError(f"{name} is not installed", "docs/sandbox.md says what to install")
    return found
