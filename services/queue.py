"""One request at a time, and a bounded queue in front.

A model's forward pass uses all cores or the card, so requests side by side would only slow each other down. They
wait in order; when the queue is full, a request is refused at once. Work is a generator that is asked for its next part
only while somebody listens. A client that hangs up leaves the queue, or ends its work at the next part, within half a
second or so.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
Gone = Callable[[], Awaitable[bool]]
ASK_EVERY_S = 0.5
"""How often a client is asked whether it is still there."""
_END = object()


class BusyError(Exception):
    """The queue is full."""


class LateError(Exception):
    """The work took longer than a request may."""


class RequestQueue:
    """Runs work in its one thread. `most_waiting` requests may wait behind the one that runs."""

    def __init__(self, most_waiting: int, most_seconds: float) -> None:
        self.most_waiting, self._most_s = most_waiting, most_seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="model")
        self.inside = 0
        """Requests that run or wait."""

    def close(self) -> None:
        """Start nothing new."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def parts(self, work: Callable[[], Iterator[T]], gone: Gone | None = None) -> AsyncGenerator[T]:
        """What a generator yields, made in the queue's thread. Raises BusyError before anything is begun.

        Closing the iterator ends the work, and so does a client who is `gone`, which is asked now and then, in the
        queue too. Raises LateError when the time of a request, the wait counted in, is over; what the work
        itself raises comes through.
        """
        if self.inside > self.most_waiting:
            raise BusyError
        self.inside += 1
        running = _Running(work)
        future = self._pool.submit(running.run)
        try:
            async for item in self._made(running, gone):
                yield item
        finally:
            running.stopped.set()
            future.cancel()
            self.inside -= 1

    async def _made(self, running: _Running, gone: Gone | None) -> AsyncGenerator[Any]:
        deadline = time.monotonic() + self._most_s
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LateError
            try:
                item = await asyncio.wait_for(running.out.get(), min(left, ASK_EVERY_S))
            except TimeoutError:
                if gone and await gone():
                    return
                continue
            if item is _END:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    async def all(self, work: Callable[[], Iterator[T]], gone: Gone | None = None) -> list[T]:
        """All parts, or those made until the client is gone."""
        found: list[T] = []
        checked = time.monotonic()
        async with contextlib.aclosing(self.parts(work, gone)) as parts:
            async for part in parts:
                found.append(part)
                if gone and time.monotonic() - checked > ASK_EVERY_S:
                    checked = time.monotonic()
                    if await gone():
                        break
        return found


class _Running:
    """Work in the queue's thread, and the way of its parts to the event loop."""

    def __init__(self, work: Callable[[], Iterator[Any]]) -> None:
        self._work, self._loop = work, asyncio.get_running_loop()
        self.out = asyncio.Queue[Any]()
        self.stopped = threading.Event()

    def run(self) -> None:
        try:
            for part in self._work():
                if self.stopped.is_set():
                    return
                self._put(part)
            self._put(_END)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._put(error)

    def _put(self, item: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody listens
            self._loop.call_soon_threadsafe(self.out.put_nowait, item)
