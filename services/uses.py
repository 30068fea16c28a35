"""What people make of answers, written down behind them: no answer waits for the log of use."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from chat.answer import Answer
from chat.learning.bandit import Choice
from chat.learning.noting import noted
from chat.learning.use_log import UseLog
from core.logs import log
from index.search import Weights


class Uses:
    """The log of use of one repository, which one thread writes in turn. Nothing is opened before the first answer."""

    def __init__(self, git_dir: Path, cache_dir: Path) -> None:
        self._git_dir, self._cache_dir = git_dir, cache_dir
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="noting")

    @cached_property
    def _log(self) -> UseLog:
        return UseLog(self._git_dir, self._cache_dir)

    def note(self, answer_id: str, answer: Answer, weights: Weights, choice: Choice) -> None:
        """Note an answer with the places that it was chosen from."""
        at = time.time()

        def write() -> None:
            if one := noted(answer_id, answer, weights, choice, at):
                self._log.note(one)

        self._soon(write)

    def rate(self, answer_id: str, *, useful: bool) -> None:
        """Note whether an answer helped."""
        self._soon(lambda: self._log.rate(answer_id, useful=useful))

    def open(self, answer_id: str, path: str, line: int) -> None:
        """Note that somebody opened a line that an answer cites."""
        self._soon(lambda: self._log.open(answer_id, path, line))

    def wait(self) -> None:
        """Until all is written."""
        self._thread.submit(lambda: None).result()

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._thread.shutdown()
        if "_log" in self.__dict__:
            self._log.close()

    def _soon(self, write: Callable[[], None]) -> None:
        self._thread.submit(write).add_done_callback(_warned)


def _warned(done: Future[None]) -> None:
    if error := done.exception():
        log.warning("the log of use was not written: %s", error)
