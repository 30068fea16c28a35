"""Studying in the background of a service: `python -m thoughts.background`, one process for all its repositories.

A worker needs a process whose main thread it is in, and a service's threads are busy. It reads its order from standard
input and ends when that ends: the service closes it, or is gone. What runs then ends with all that it had started.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from core import logs
from core.config import ChatConfig, StudyConfig, without_credentials
from core.errors import EXIT_INTERRUPTED, GitloreError
from core.git.names import is_url
from core.git.repositories import open_repository
from core.logs import log
from thoughts.preferences import preferences
from thoughts.studying import PLAN_EVERY_S, POLL_S, Study, opened

FETCH_EVERY_S = 600.0
"""How often a URL is asked whether there is something new."""


class Order(msgspec.Struct):
    """What is to be studied, where somebody has asked for it."""

    locations: list[str]
    cache_dir: str
    settings: str
    """Those of config.yaml, as JSON."""
    chat: str
    """Those of the language model that may write, where a repository has a budget for it."""


@dataclass
class Followed:
    """A repository, and when it was looked at last."""

    location: str
    """As the user named it."""
    study: Study
    writer: ChatConfig | None = None
    planned: float = -PLAN_EVERY_S
    fetched: float = 0.0

    def turn(self) -> bool:
        """Run the next job, if there is one and it may start now."""
        study = self.study
        wanted = preferences(study.queue, study.key)
        if not wanted.is_followed:
            self.planned = -PLAN_EVERY_S  # whoever switches it on again does not wait for it
            return False
        study.hours, study.kinds = wanted.hours, wanted.chosen()
        study.triggers = replace(study.triggers, kinds=study.kinds, zone=study.hours.zone)
        if time.monotonic() - self.planned >= PLAN_EVERY_S:
            self.planned = time.monotonic()
            self._fetch()
            _, most_model_s = study.left()["model_s"]
            study.state = replace(study.state, writer=self.writer if most_model_s else None)
            study.plan()
        return study.work_due() is not None

    def _fetch(self) -> None:
        if is_url(self.location) and time.monotonic() - self.fetched >= FETCH_EVERY_S:
            self.fetched = time.monotonic()
            open_repository(self.location, self.study.state.cache_dir)


def follow(repositories: Sequence[Followed]) -> None:
    """Study in turns, one job at a time, without end."""
    while True:
        if not sum(_turn(one) for one in repositories):
            time.sleep(POLL_S)


def _turn(one: Followed) -> bool:
    try:
        return one.turn()
    except GitloreError as error:
        log.warning("%s is not studied now: %s", one.study.state.location, error)
        return False


def main() -> None:
    """Study until standard input ends, or a signal comes."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logs.setup()
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    threading.Thread(target=_end_with_input, daemon=True).start()
    settings = StudyConfig.model_validate_json(order.settings)
    chat = ChatConfig.model_validate_json(order.chat)
    writer = chat if chat.url and chat.model else None
    try:
        with ExitStack() as stack:
            found = []
            for location in order.locations:
                try:
                    study = stack.enter_context(opened(location, Path(order.cache_dir), settings))
                    found.append(Followed(location, study, writer, fetched=time.monotonic()))
                except GitloreError as error:
                    log.warning("%s is not studied: %s", without_credentials(location), error)
            follow(found)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
