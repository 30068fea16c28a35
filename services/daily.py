"""What a service does once a day while it runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from core.errors import GitloreError
from core.logs import log

DAY_S = 86_400.0


@contextlib.asynccontextmanager
async def daily(work: Callable[[], object], every_s: float = DAY_S) -> AsyncIterator[None]:
    """Do it before the block begins and daily until it ends. What fails is logged, and tried the next day."""

    async def done() -> None:
        try:
            await asyncio.to_thread(work)
        except GitloreError as error:
            log.warning("%s", error)

    async def again() -> None:
        while True:
            await asyncio.sleep(every_s)
            await done()

    await done()
    task = asyncio.create_task(again())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
