"""What a sandbox uses at a moment: its processes, their memory, what they have written, and what is in a folder."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_DEEPEST = 200
"""Folders below each other; deeper ones could hide what is in them, and have paths that nothing can open."""


@dataclass
class Use:
    """What the processes below one use together."""

    processes: int = 0
    """Processes and threads."""
    memory_bytes: int = 0
    cpu_seconds: float = 0.0
    read_bytes: int = 0
    written_bytes: int = 0

    def add_time(self, fields: list[bytes]) -> None:
        """Add the time of one process and of its children that it has collected, from the fields of its stat file."""
        self.cpu_seconds += sum(map(int, fields[11:15])) / _TICKS_PER_S

    def add_transfers(self, process: int) -> None:
        """Add what one process, and its children that it has collected, have read and written."""
        for line in Path(f"/proc/{process}/io").read_bytes().splitlines():
            name, _, count = line.partition(b": ")
            self.read_bytes += int(count) if name == b"read_bytes" else 0
            self.written_bytes += int(count) if name == b"write_bytes" else 0


def children_of(process: int) -> list[int]:
    """The processes that one has started and that are still there."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it has ended
        for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208
            found += map(int, Path(f"/proc/{process}/task/{thread}/children").read_bytes().split())
    return found


def use_below(first: int, most: int) -> Use:
    """What the descendants of a sandbox's first process use; counted no further than one process over `most`.

    The first process is a shell of ours. It does not count itself, but what it has collected from ended ones does.
    """
    use, waiting = Use(), [first]
    while waiting and use.processes <= most:
        process = waiting.pop()
        with contextlib.suppress(OSError):  # it has ended
            fields = _fields(process)
            use.add_time(fields)
            if process != first:
                use.processes += int(fields[17])
                use.memory_bytes += _resident(fields)
        with contextlib.suppress(OSError):  # a program can hide this count; how far the folder grows it cannot
            use.add_transfers(process)
        waiting += children_of(process)
    return use


def _fields(process: int) -> list[bytes]:
    """The fields of a process's stat file after its name, which may hold blanks."""
    return Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()


def _resident(fields: list[bytes]) -> int:
    """Bytes of a process in memory, from the fields of its stat file."""
    return int(fields[21]) * _PAGE_BYTES


def shared_fairly(first: int) -> int:
    """The memory of the same processes, a page that several share counted once. Slow: the kernel walks their pages."""
    total, waiting = 0, children_of(first)
    while waiting:
        process = waiting.pop()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            try:
                lines = Path(f"/proc/{process}/smaps_rollup").read_bytes().splitlines()
                total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(b"Pss:"))
            except PermissionError:
                total += _resident(_fields(process))
        waiting += children_of(process)
    return total


def size_of_folder(folder: str, most_files: int) -> tuple[int, int]:
    """(bytes on disk, files and folders) below a folder; links are not followed, holes take no place.

    Counts no further than one file over `most_files`. Folders too deep to look into count as too many files, so that
    nothing is hidden in them; those without permission cannot be looked into.
    """
    total, files = 0, 0
    waiting = [(folder, 0)]
    while waiting and files <= most_files:
        path, depth = waiting.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        total += status.st_blocks * 512
                        files += 1
                        if stat.S_ISDIR(status.st_mode):
                            waiting.append((entry.path, depth + 1))
                    if files > most_files:
                        break
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        except OSError:  # the name is too long
            return total, most_files + 1
        if depth > _DEEPEST:
            return total, most_files + 1
    return total, files
