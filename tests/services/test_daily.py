"""What is done every day."""

from __future__ import annotations

import asyncio
import logging

import pytest

from core.errors import StageError
from services.daily import daily


def test_it_is_done_at_once_and_again_and_not_after_the_end() -> None:
    times = []

    async def work() -> None:
        enough = asyncio.Event()
        loop = asyncio.get_running_loop()

        def once() -> None:
            times.append(len(times))
            if len(times) == 3:
                loop.call_soon_threadsafe(enough.set)

        async with daily(once, 0.001):
            assert times
            await enough.wait()
        seen = len(times)
        await asyncio.sleep(0.02)
        assert len(times) <= seen + 1  # one that had begun

    asyncio.run(work())


def test_what_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    times = []

    async def work() -> None:
        again = asyncio.Event()
        loop = asyncio.get_running_loop()

        def fails() -> None:
            times.append(1)
            if len(times) == 2:
                loop.call_soon_threadsafe(again.set)
            raise StageError("the database is locked")

        async with daily(fails, 0.001):
            await again.wait()

    with caplog.at_level(logging.WARNING, "gitlore"):
        asyncio.run(work())
    assert "the database is locked" in caplog.text
