"""Logging: sentences on the console, every line with its time in the log file."""

from __future__ import annotations

import functools
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from core.files import make_folder
from core.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

log = logging.getLogger("gitlore")


@functools.cache
def console() -> Console:
    """Standard error; made when first needed, since most commands that only look print nothing there."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


class _ConsoleHandler(logging.Handler):
    """Prints through the console that also draws the progress bars, so that neither breaks the other."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        console().print(prefix + visible(self.format(record)), markup=False)


class _FileFormatter(logging.Formatter):
    """Text of others as one can see it."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


class _FileHandler(logging.FileHandler):
    """A log file that gives up with one line when it cannot be written (a full disk, say)."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802
        error = sys.exc_info()[1]
        log.removeHandler(self)
        console().print(f"warning: {self.baseFilename} cannot be written ({error}); logging only here", markup=False)


def setup(*, verbose: bool = False, log_file: Path | None = None) -> None:
    """Send `gitlore` messages to standard error and, with `log_file`, all of them (DEBUG too) to that file."""
    log.handlers.clear()
    log.propagate = False
    log.setLevel(logging.DEBUG)
    to_console = _ConsoleHandler(logging.DEBUG if verbose else logging.INFO)
    to_console.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(to_console)
    # What libraries log and warn of is for the file, not for the reader.
    root = logging.getLogger()
    root.handlers = [logging.NullHandler()]
    logging.captureWarnings(True)
    if log_file:
        make_folder(log_file.parent)
        to_file = _FileHandler(log_file, encoding="utf-8", delay=True)
        formatter = _FileFormatter("%(asctime)sZ %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        to_file.setFormatter(formatter)
        log.addHandler(to_file)
        root.handlers = [to_file]
