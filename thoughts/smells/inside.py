"""What runs in the sandbox where a tool is a function of one file: `python inside.py MODULE FOLDER OUTPUT`.

A file on which the function fails, or works too long, is left out; how many are is printed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FrameType

SECONDS_A_FILE = 10.0
"""Of CPU time."""


class TooLongError(Exception):
    """A file took too long."""


def main(module: str, folder: str, output: str) -> None:
    """Write what a module's `read` finds in the files with its SUFFIXES, as JSON, one a line."""
    signal.signal(signal.SIGPROF, _too_long)
    tool = import_module(module)
    failed = 0
    with Path(output).open("w", encoding="utf-8") as out:
        for path in _files(folder, tuple(tool.SUFFIXES)):
            signal.setitimer(signal.ITIMER_PROF, SECONDS_A_FILE, 1.0)  # again and again, should it be caught
            try:
                found = list(tool.read(os.path.relpath(path, folder), path.read_bytes()))
            except Exception:  # noqa: BLE001 - whatever it is, it is this file's
                failed += 1
                continue
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            out.writelines(json.dumps(one) + "\n" for one in found)
    if failed:
        print(f"{failed:,} files could not be read by {module.rpartition('.')[2]}")  # noqa: T201 - the tool's notes


def _files(folder: str, suffixes: tuple[str, ...]) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if name.endswith(suffixes) and path.is_file() and not path.is_symlink():
                yield path


def _too_long(_number: int, _frame: FrameType | None) -> None:
    raise TooLongError


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main(*sys.argv[1:])
