"""The index of one repository, which follows it: brought to the newest commit in a thread that no request waits for."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from chat.asking import opened
from core.config import ChatConfig
from core.errors import GitloreError, UserError
from core.logs import log
from index.code_index import CodeIndex
from services.queue import BusyError

Stage = Literal["nothing", "indexing", "ready", "failed"]
LOOK_EVERY_S = 1.0
"""How often it is looked at most whether there is a newer commit, and at a URL only now and then."""
FETCH_EVERY_S = 60.0


@dataclass(frozen=True)
class Progress:
    """How far an index is."""

    stage: Stage
    commit: str
    """That it describes, "" before the first time."""
    done: int = 0
    """Texts that the update has read so far, of `total`."""
    total: int = 0
    problem: str = ""
    """Why the last update failed."""
    hint: str = ""
    """What to do about it."""

    def in_words(self) -> str:
        """For who waits for it."""
        match self.stage:
            case "nothing":
                return "not indexed yet"
            case "failed":
                return "; ".join(filter(None, (f"the index could not be updated: {self.problem}", self.hint)))
            case "indexing" if self.total:
                return f"indexing: {self.done:,} of {self.total:,} texts"
            case "indexing":
                return "indexing"
            case _:
                return "indexed"


@dataclass
class Indexing:
    """The updates of one index; any thread may start one or look at it. They run in `executor`, one at a time."""

    location: str
    git_dir: Path
    cache_dir: Path
    executor: Executor
    index_url: str = field(default="", repr=False)
    """The database that the index is in; "" for a file in `cache_dir`."""
    commit: str = ""
    """That the index describes."""
    pinned: str = ""
    """The commit that it was brought to on purpose and stays at; "" while it follows the branch that is checked out."""
    problem: GitloreError | None = None
    stopped: bool = False
    """Ends an update at its next text."""
    _counts: tuple[int, int] = (0, 0)
    _running: Future[None] | None = None
    _looked: float = field(default_factory=lambda: -LOOK_EVERY_S)
    _fetched: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        with closing(CodeIndex(self.git_dir, self.cache_dir, self.index_url)) as index:
            self.commit = index.commit or ""

    @property
    def progress(self) -> Progress:
        """How far it is."""
        running = self._running is not None and not self._running.done()
        if running and (not self.commit or self._counts[1]):
            return Progress("indexing", self.commit, *self._counts)
        if self.problem:
            return Progress("failed", self.commit, problem=self.problem.message, hint=self.problem.hint)
        return Progress("ready" if self.commit else "nothing", self.commit)

    def follow(self) -> Future[None]:
        """Begin an update, unless one runs or was begun a moment ago; the one to wait for."""
        with self._lock:
            if self._running is None or (
                self._running.done() and not self.pinned and time.monotonic() - self._looked >= LOOK_EVERY_S
            ):
                self._running = self._begun()
            return self._running

    def bring_to(self, revision: str) -> None:
        """Begin an update to a commit, at which the index then stays; "" follows the branch again.

        Raises BusyError where another one runs.
        """
        with self._lock:
            if self._running and not self._running.done():
                raise BusyError
            self.pinned = revision
            self._running = self._begun()

    def _begun(self) -> Future[None]:
        self._looked = time.monotonic()
        return self.executor.submit(self._update, self.pinned)

    def _update(self, revision: str) -> None:
        try:
            with opened(self._place(), self.cache_dir, ChatConfig(index=self.index_url)) as chat:
                self.git_dir = chat.git_dir
                self.commit = chat.update(revision, self._count)
            self.problem = None
        except GitloreError as error:
            if not self.stopped:
                log.warning("the index of %s was not updated: %s", self.location, error)
            self.problem = error
        finally:
            self._counts = (0, 0)

    def _place(self) -> str:
        """What to open: now and then a URL itself, so that what is new there is fetched."""
        if time.monotonic() - self._fetched < FETCH_EVERY_S:
            return str(self.git_dir)
        self._fetched = time.monotonic()
        return self.location

    def _count(self, done: int, total: int) -> None:
        if self.stopped:
            raise UserError("the service ends", "the next one goes on")
        self._counts = done, total
