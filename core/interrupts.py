"""Ctrl-C before a command runs: its imports take a second, and end with a word instead of a traceback."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[1]


def answer() -> None:
    """Answer it for a command of ours; for a program that uses this library, nothing changes."""
    if _is_ours(sys.orig_argv):
        sys.excepthook = _interrupted


def _is_ours(line: list[str]) -> bool:
    """Whether Python was started with a file of this folder, or with `-m` and a room of it."""
    parts = iter(line[1:])
    for part in parts:
        if part in ("-X", "-W"):
            next(parts, "")
        elif part == "-m":
            return (ROOT / next(parts, "").split(".")[0] / "__init__.py").is_file()
        elif part == "-c" or not part.startswith("-"):
            return Path(part).is_file() and Path(part).resolve().parent == ROOT
    return False


def _interrupted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("interrupted\n")
    else:
        sys.__excepthook__(kind, error, trace)
