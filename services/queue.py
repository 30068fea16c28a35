"""One request at a time in each of a few threads, and a bounded queue in front of each.

A model's forward pass uses all cores or the card, so requests side by side would only slow each other down. They
wait in order; when the queue is full, a request is refused at once. Files are ranked in their own thread, so that no
ranking waits behind what a model writes or another service answers, and so are questions about the repository. Work
is a generator that is asked for its next part only while somebody listens. A client that hangs up leaves the queue,
or ends its work at the next part, within half a second or so.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from services.answers import AnswerPart, AnyWork, Work

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

    def __init__(self, most_waiting: int, most_seconds: float, name: str = "model") -> None:
        self.most_waiting, self.most_s = most_waiting, most_seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self.inside = 0
        """Requests that run or wait."""

    def close(self) -> None:
        """Start nothing new."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @contextlib.contextmanager
    def place(self) -> Iterator[float]:
        """A place in the queue, and the time when its holder must be done. Raises BusyError where none is free."""
        if self.inside > self.most_waiting:
            raise BusyError
        self.inside += 1
        try:
            yield time.monotonic() + self.most_s
        finally:
            self.inside -= 1

    async def parts(self, work: Callable[[], Iterator[T]], gone: Gone | None = None) -> AsyncGenerator[T]:
        """What a generator yields, made in the queue's thread. Raises BusyError before anything is begun.

        Closing the iterator ends the work, and so does a client who is `gone`, which is asked now and then, in the
        queue too. Raises LateError when the time of a request, the wait counted in, is over; what the work
        itself raises comes through.
        """
        with self.place() as deadline:
            async with contextlib.aclosing(self.made(work, gone, deadline)) as made:
                async for item in made:
                    yield item

    async def made(self, work: Callable[[], Iterator[T]], gone: Gone | None, deadline: float) -> AsyncGenerator[T]:
        """The same for one who has a place already."""
        running = _Running(work)
        future = self._pool.submit(running.run)
        try:
            while (left := deadline - time.monotonic()) > 0:
                try:
                    item: Any = await asyncio.wait_for(running.out.get(), min(left, ASK_EVERY_S))
                except TimeoutError:
                    if gone and await gone():
                        return
                    continue
                if item is _END:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
            raise LateError
        finally:
            running.stopped.set()
            future.cancel()

    async def all(self, work: Callable[[], Iterator[T]], gone: Gone | None = None) -> list[T]:
        """All parts, or those made until the client is gone."""
        return await gathered(self.parts(work, gone), gone)

    async def one(self, call: Callable[[], T]) -> T:
        """What a call in the queue's thread returns."""

        def work() -> Iterator[T]:
            yield call()

        return (await self.all(work))[0]


class Queues:
    """The thread that ranks, the one in which models write, the one that waits for other services, the one that answers
    questions, the one that reads what was answered, and the one that reads what was studied.
    """

    def __init__(self, most_waiting: int, most_seconds: float) -> None:
        self.rankings = RequestQueue(most_waiting, most_seconds, "rankings")
        self.model = RequestQueue(most_waiting, most_seconds)
        self.reviews = RequestQueue(most_waiting, most_seconds, "reviews")
        self.questions = RequestQueue(most_waiting, most_seconds, "questions")
        self.reading = RequestQueue(most_waiting, most_seconds, "reading")
        self.studies = RequestQueue(most_waiting, most_seconds, "studies")
        self._all = (self.rankings, self.model, self.reviews, self.questions, self.reading, self.studies)

    @property
    def inside(self) -> int:
        """Requests that run or wait."""
        return sum(queue.inside for queue in self._all)

    def close(self) -> None:
        """Start nothing new."""
        for queue in self._all:
            queue.close()

    async def parts(self, work: AnyWork, gone: Gone | None = None) -> AsyncGenerator[AnswerPart]:
        """An answer, part by part; errors as of `RequestQueue.parts`.

        What a model is to write, or another service to be asked, holds its place there from the beginning: a request is
        refused before it has begun, or not at all.
        """
        work = Work.of(work)
        steps = [
            (self.rankings, work.draft),
            (self.reviews, work.review),
            (self.rankings, work.rank),
            (self.model, work.write),
            (self.questions, work.ask),
        ]
        used = (self.questions, work.ask), (self.reviews, work.review), (self.model, work.write)
        slowest = next((queue for queue, step in used if step), self.rankings)
        with slowest.place() as deadline:
            if work.ready:
                await work.ready(deadline - time.monotonic())
            for queue, step in steps:
                if step is None or (gone and await gone()):
                    continue
                async with contextlib.aclosing(queue.made(step, gone, deadline)) as made:
                    async for part in made:
                        yield part

    async def all(self, work: AnyWork, gone: Gone | None = None) -> list[AnswerPart]:
        """All parts, or those made until the client is gone."""
        return await gathered(self.parts(work, gone), gone)


async def gathered(parts: AsyncGenerator[T], gone: Gone | None) -> list[T]:
    """All parts, or those made until the client is gone."""
    found: list[T] = []
    checked = time.monotonic()
    async with contextlib.aclosing(parts):
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
