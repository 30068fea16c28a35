"""The process that studies the served repositories in the background, while at least one of them is switched on."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import msgspec

from core.errors import GitloreError
from core.logs import log
from core.process import end_group
from thoughts.background import Order
from thoughts.preferences import preferences
from thoughts.studying import Study

LOOK_EVERY_S = 5.0
CLOSING_S = 1.5
"""How long it may take to end by itself."""
RETRY_S = 30.0
"""After which one that ended is started again."""


class BackgroundStudy:
    """Starts the process when a repository is switched on, and ends it when none is, or with the service."""

    def __init__(self, order: Order, studies: Sequence[Study]) -> None:
        self._order, self._studies = order, studies
        self._woken, self._is_stopped = threading.Event(), False
        self._thread = threading.Thread(target=self._follow, name="background-study", daemon=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = -RETRY_S

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        process = self._process  # another thread may end it meanwhile
        return process is not None and process.poll() is None

    def start(self) -> None:
        """Look now and then, in a thread."""
        self._thread.start()

    def wake(self) -> None:
        """Something was switched."""
        self._woken.set()

    def close(self) -> None:
        """End the process, with all that it has started."""
        self._is_stopped = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(2 * CLOSING_S)
        self._end()

    def _follow(self) -> None:
        while not self._is_stopped:
            try:
                self._look()
            except GitloreError as error:
                log.warning("what is to be studied cannot be read: %s", error)
            self._woken.wait(LOOK_EVERY_S)
            self._woken.clear()  # before it is looked whether this is the end, so that close is never missed

    def _look(self) -> None:
        wanted = any(preferences(one.queue, one.key).is_followed for one in self._studies)
        if not wanted:
            self._end()
        elif not self.is_running and time.monotonic() - self._started_at >= RETRY_S:
            self._start()

    def _start(self) -> None:
        self._end()
        self._started_at = time.monotonic()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "thoughts.background"],
            stdin=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )  # in another session, since Ctrl-C is for the service, which ends it
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # it has ended, which is seen at the next look
            self._process.stdin.write(msgspec.json.encode(self._order) + b"\n")
            self._process.stdin.flush()

    def _end(self) -> None:
        """Close its input, at which it ends what runs and puts the job back."""
        if self._process is None:
            return
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(CLOSING_S)
        except subprocess.TimeoutExpired:
            end_group(self._process.pid)
            self._process.wait()
        self._process, self._started_at = None, -RETRY_S
