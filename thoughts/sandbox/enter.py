"""Runs as the first process of new namespaces: builds the root folder, gives up every right, and starts the command.

Started by `tiers.unshare_line` without site packages, so it needs the standard library only. What goes wrong is said on
standard error, before the line that says that the sandbox is there.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from thoughts.sandbox import kernel
from thoughts.sandbox.view import DEVICES, TEMPORARY

_OLD, _NEW = "/old", "/new"
_SET_FLAGS, _UP = 0x8914, 0x1 | 0x8 | 0x40


def main() -> None:
    """Enter the sandbox that the first argument describes in JSON, and become its command."""
    wanted: dict[str, Any] = json.loads(sys.argv[1])
    with os.fdopen(wanted["filter_fd"], "rb") as file:
        program = file.read()
    _start_loopback()
    _stand_between()
    _build(wanted)
    kernel.enter_root(_NEW)
    os.setsid()
    kernel.drop_privileges()
    rules = [(path, kernel.READ) for path in (*wanted["readable"], "/proc")]
    rules += [(path, kernel.EVERYTHING) for path in (wanted["writable"], *TEMPORARY)]
    rules += [(f"/dev/{name}", kernel.EVERYTHING) for name in DEVICES]
    kernel.limit_files([*rules, ("/", kernel.LIST), ("/dev", kernel.READ)])
    os.chdir(wanted["writable"])
    kernel.filter_calls(program)
    os.execv(wanted["command"][0], wanted["command"])  # noqa: S606


def _start_loopback() -> None:
    """The namespace's own loopback is down at first; tests of servers need it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))


def _stand_between() -> None:
    """Put an empty root in front of the host's, which stays at `/old` until `enter_root` lets go of it."""
    base = TEMPORARY[0]
    kernel.mount("", "/", None, kernel.RECURSIVE | kernel.PRIVATE)
    kernel.mount("tmpfs", base, "tmpfs", kernel.NOSUID | kernel.NODEV, "size=1m,mode=755")
    for name in (_OLD, _NEW):
        os.mkdir(base + name)  # noqa: PTH102
    kernel.swap_root(base, base + _OLD)
    os.chdir("/")


def _build(wanted: dict[str, Any]) -> None:
    """The folders of the sandbox below `/new`."""
    careful = kernel.NOSUID | kernel.NODEV
    kernel.mount("tmpfs", _NEW, "tmpfs", careful, "size=1m,mode=755")
    for path, target in wanted["links"]:
        Path(_NEW + path).symlink_to(target)
    os.mkdir(f"{_NEW}/proc")  # noqa: PTH102
    kernel.mount("proc", f"{_NEW}/proc", "proc", careful | kernel.NOEXEC)
    for path in TEMPORARY:
        os.makedirs(_NEW + path, exist_ok=True)  # noqa: PTH103
        kernel.mount("tmpfs", _NEW + path, "tmpfs", careful, f"size={wanted['temporary_bytes']},mode=1777")
    for name in DEVICES:
        _show(f"/dev/{name}", kernel.NOSUID | kernel.NOEXEC)
    for name, number in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        Path(f"{_NEW}/dev/{name}").symlink_to(f"/proc/self/fd{number}")
    for path in wanted["readable"]:
        _show(path, careful | kernel.RDONLY)
    _show(wanted["writable"], careful)
    for path in ("/proc", ""):  # what belongs to root in /proc/sys, root could write to without any capability
        kernel.make_read_only(_NEW + path)


def _show(path: str, flags: int) -> None:
    """A folder or file of the host at the same path in the sandbox."""
    target = Path(_NEW + path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if Path(_OLD + path).is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    kernel.bind(_OLD + path, str(target), flags)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"enter: {error}")
