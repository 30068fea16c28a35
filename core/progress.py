"""Progress of a long loop: a bar on a terminal, a plain line now and then elsewhere (cron)."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from core.logs import console, log

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PLAIN_INTERVAL_S = 15.0
BAR_INTERVAL_S = 0.1


class Progress:
    """`with Progress("chunking", total=n, unit="commits") as progress: progress.advance()`."""

    def __init__(self, description: str, total: int | None = None, unit: str = "items") -> None:
        self._description, self._total, self._unit = description, total, unit
        self._done = 0
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        self._started = self._shown = time.monotonic()
        if console().is_terminal:
            self._bar = _bar(self._unit)
            self._task = self._bar.add_task(self._description, total=self._total, rate="")
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()
        seconds = time.monotonic() - self._started
        log.debug("%s: %s %s in %.1f s", self._description, f"{self._done:,}", self._unit, seconds)

    def expect(self, total: int) -> None:
        """There are so many in all: more, or fewer, than it seemed."""
        self._total = total
        if self._bar and self._task is not None:
            self._bar.update(self._task, total=total)

    def advance(self, count: int = 1) -> None:
        """`count` more are done."""
        self._done += count
        now = time.monotonic()
        if now - self._shown < (BAR_INTERVAL_S if self._bar else PLAIN_INTERVAL_S):
            return
        self._shown = now
        rate = self._done / (now - self._started)
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=self._done, rate=_pace(rate))
        else:
            log.info("%s: %s", self._description, self._plain(rate))

    def _plain(self, rate: float) -> str:
        if not self._total:
            return f"{self._done:,} {self._unit}, {_pace(rate)}"
        left_s = max(self._total - self._done, 0) / rate if rate else 0.0
        return f"{self._done:,} of {self._total:,} {self._unit}, {_pace(rate)}, about {left_s:,.0f} s left"


def _bar(unit: str) -> Bar:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit + " {task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console(),
        transient=True,
    )


def _pace(rate: float) -> str:
    return f"{rate:,.1f}/s" if rate >= 1 or not rate else f"{1 / rate:,.1f} s each"
