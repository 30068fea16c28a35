"""Fusing adapters in the background: one thread, which takes one merge after the other of all teams."""

from __future__ import annotations

import threading

from core.errors import GitloreError
from core.logs import log
from patterns.memory.team_memory import TeamMemory

LOOK_EVERY_S = 5.0
CLOSING_S = 1.0


class MergeWorker:
    """Works off the merges that teams have asked for; another process on the same database may do so, too."""

    def __init__(self, memory: TeamMemory) -> None:
        self._memory = memory
        self._woken, self._is_stopped = threading.Event(), False
        self._thread = threading.Thread(target=self._work, name="merges", daemon=True)

    def start(self) -> None:
        """Begin; also with what an earlier process has left behind."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    def close(self) -> None:
        """Begin nothing new. What is at work is not waited for: who starts next takes it up."""
        self._is_stopped = True
        self._woken.set()
        self._thread.join(CLOSING_S)

    def _work(self) -> None:
        while not self._is_stopped:
            try:
                for identity in self._memory.admins():
                    self._memory.team(identity).adapters.merges.work_off()
            except Exception as error:  # noqa: BLE001 - the next look may go well
                log.warning("merges wait: %s", error.message if isinstance(error, GitloreError) else repr(error))
            self._woken.wait(LOOK_EVERY_S)
            self._woken.clear()
