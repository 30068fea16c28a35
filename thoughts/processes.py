"""All processes that come from one: seen, measured and ended, also those that left its group and session.

A worker adopts what its job leaves behind, so that everything below the worker that was not there before is the job's.
So a worker needs a process of its own, with one job at a time. What is killed together with its worker is seen by
nobody: for code that is not ours there is the sandbox.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from core.process import adopt_orphans, end_group

PATIENCE_S = 5.0
"""For processes that the kernel does not let go of, such as in the middle of reading a disk that hangs."""
_TICKS = os.sysconf("SC_CLK_TCK")
_BLOCK_BYTES = 512
"""Of a block of I/O as the kernel counts it for a process."""


@dataclass(frozen=True)
class Process:
    """What the kernel says of a process."""

    parent: int
    is_zombie: bool
    cpu_s: float
    """Its own and that of its children that have ended."""


@dataclass
class Descendants:
    """Everything below this process but for what was there at first."""

    before: frozenset[int] = field(default_factory=frozenset)
    cpu_s: float = 0.0
    """Of those that have ended and were waited for."""
    io_bytes: int = 0

    @classmethod
    def from_now_on(cls) -> Descendants:
        """What comes below this process from now on, and adopt it."""
        adopt_orphans()
        return cls(frozenset(_below(os.getpid(), _processes())))

    def used_cpu_s(self) -> float:
        """CPU time until now, of what runs and of what has ended."""
        found = _processes()
        return self.cpu_s + sum(found[pid].cpu_s for pid in self._mine(found))

    def reap(self, pid: int) -> int | None:
        """How a child ended, and remember what it used; None where it still runs. A signal is a negative number."""
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if not ended:
            return None
        self.cpu_s += usage.ru_utime + usage.ru_stime
        self.io_bytes += (usage.ru_inblock + usage.ru_oublock) * _BLOCK_BYTES
        return os.waitstatus_to_exitcode(status)

    def end(self, leader: int) -> bool:
        """Kill the group of `leader` and all that is below this process; False where something does not end.

        Nothing is adopted any more.
        """
        end_group(leader)
        ended = self._end_all()
        adopt_orphans(adopt=False)
        return ended

    def _end_all(self) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while left := self._mine(found := _processes()):
            if time.monotonic() > deadline:
                return False
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError, ChildProcessError):
                    if not found[pid].is_zombie:
                        os.kill(pid, signal.SIGKILL)
                    if found[pid].parent == os.getpid():
                        self.reap(pid)
            time.sleep(0.01)
        return True

    def _mine(self, found: dict[int, Process]) -> list[int]:
        return [pid for pid in _below(os.getpid(), found) if pid not in self.before]


def _below(top: int, found: dict[int, Process]) -> list[int]:
    """The descendants of a process."""
    children: dict[int, list[int]] = {}
    for pid, one in found.items():
        children.setdefault(one.parent, []).append(pid)
    below, todo = [], list(children.get(top, []))
    while todo:
        below.append(pid := todo.pop())
        todo += children.get(pid, [])
    return below


def _processes() -> dict[int, Process]:
    """All processes that this one sees, by their ids; none where there is no /proc."""
    found = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # it has ended meanwhile
            words = place.read_bytes().rpartition(b")")[2].split()
            ticks = sum(int(word) for word in words[11:15])
            found[int(place.parent.name)] = Process(int(words[1]), words[0] == b"Z", ticks / _TICKS)
    return found
