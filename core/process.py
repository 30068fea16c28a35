"""Facts about this process and the machine it runs on; what of it several processes share."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from core.errors import EXIT_FAILED

_PR_SET_PDEATHSIG = 1
"""Option of Linux's prctl: the signal that the kernel sends to a process when its parent ends."""
_PR_SET_CHILD_SUBREAPER = 36


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def git_workers(wanted: int) -> int:
    """Git processes to diff with: `wanted`, or for 0 one fewer than processors (the last one reads), at most 8."""
    return wanted or max(1, min(processors() - 1, 8))


def rank() -> int:
    """The number of this process among those that train together (`accelerate launch`); 0 for the one that writes."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """True for the process that logs, scores and writes."""
    return rank() == 0


def die_with_parent() -> None:
    """End this process when the parent is gone, so that a killed run leaves nobody writing.

    On Linux the kernel ends it, also within a call of a library that keeps the interpreter's lock; elsewhere a thread
    watches. To the kernel the parent is the thread that started this process, so start it from the main one.
    """
    import multiprocessing
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch(sentinel: int) -> None:
        wait([sentinel])
        os._exit(EXIT_FAILED)

    be_killed_with(parent.pid or 0)
    threading.Thread(target=watch, args=(parent.sentinel,), daemon=True, name="parent-watch").start()


def be_killed_with(parent: int) -> None:
    """On Linux, have the kernel kill this process when the thread ends that started it; `parent` is its process."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the kernel was asked
            os._exit(EXIT_FAILED)


def adopt_orphans(*, adopt: bool = True) -> None:
    """On Linux, become the parent of all descendants whose own parent ends, so that none gets out of sight; or stop.

    Whoever adopts has to wait for them: others see those that have ended as processes that are still there.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)


@contextlib.contextmanager
def interrupts_later() -> Iterator[None]:
    """Put off SIGINT and SIGTERM, so that what is short and must be whole is not broken off.

    Only the main thread is interrupted, so that elsewhere there is nothing to do. A mask would not help: the system may
    give the signal to another thread, and Python passes it on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number)) or signal.SIG_DFL
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def end_group(leader: int) -> None:
    """Kill all that is left of a process group; none is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
        os.killpg(leader, signal.SIGKILL)


def peak_memory_mb() -> float:
    """Highest resident memory of this process so far, in MiB."""
    with contextlib.suppress(OSError), Path("/proc/self/status").open(encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    return mebibytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def mebibytes(maximum: int) -> float:
    """getrusage's unit is a KiB, but a byte on macOS."""
    return round(maximum / (1024 if sys.platform != "darwin" else 1024 * 1024), 1)
