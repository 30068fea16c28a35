"""What a sandboxed command may use, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Limits:
    """What one command and everything that it starts may use together."""

    seconds: float = 60.0
    memory_bytes: int = 512 << 20
    """Resident memory. /tmp and /dev/shm are in memory too and come on top, each with a quarter of this."""
    processes: int = 64
    """Processes and threads."""
    disk_bytes: int = 256 << 20
    """What may be written, and by how much the writable folder may grow."""
    files: int = 20_000
    """How many files and folders may be added to the writable folder."""
    output_bytes: int = 1 << 20
    """Standard output and errors together."""


class Ended(StrEnum):
    """How a command ended; everything but `done` and `killed` was our doing."""

    DONE = "done"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    PROCESSES = "processes"
    DISK = "disk"
    OUTPUT = "output"
    CANCELLED = "cancelled"
    KILLED = "killed"


_WHY = {
    Ended.DONE: "it ended by itself",
    Ended.TIMEOUT: "it took longer than it may",
    Ended.MEMORY: "it used more memory than it may",
    Ended.PROCESSES: "it started more processes than it may",
    Ended.DISK: "it wrote more than it may",
    Ended.OUTPUT: "it printed more than it may",
    Ended.CANCELLED: "it was cancelled",
    Ended.KILLED: "the system ended it, perhaps for want of memory",
}


@dataclass(frozen=True)
class Result:
    """How a command ended, what it printed, and what it used."""

    ended: Ended
    exit_code: int
    """As a shell gives it: 128 and the signal's number where a signal ended it; 137 where we did."""
    stdout: bytes
    stderr: bytes
    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    """The highest sum of resident memory that was seen, every 20 ms; pages that processes share count in each."""
    read_bytes: int
    written_bytes: int
    """From and to disks; what stays in caches or in memory does not count."""

    @property
    def why(self) -> str:
        """How it ended, in words."""
        return _WHY[self.ended]
