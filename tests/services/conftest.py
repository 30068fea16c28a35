"""A small repository behind the service, to ask questions about."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from answerers import Repeating
from builders import Repo, wait_for
from fastapi import FastAPI

from services.app import make_app
from services.chats import Chats
from services.http.limits import Limits
from services.listening import bound, server_of

BASKET = '''"""What a customer wants to buy."""


def discount(total):
    """Reduce the total of a large order by a tenth."""
    if total > 100:
        return total * 0.9
    return total


def checkout(basket):
    """Take the money for a basket."""
    return discount(sum(basket))
'''
GUIDE = "# Guide\n\n## Delivery\n\nParcels are delivered by bicycle.\n"
PLENTY = Limits()
ON_LOOPBACK = pytest.mark.enable_socket
"""Lets a test listen and connect."""


@dataclass(frozen=True)
class Asking:
    """A repository that can be asked, called shop."""

    repo: Repo
    cache: Path

    def __call__(
        self, work: Callable[[httpx.AsyncClient], Awaitable[Any]], *, key: str = "", limits: Limits = PLENTY
    ) -> Any:
        """What a function gets that is called with a client of the service."""

        async def inside() -> Any:
            async with self.client(key, limits) as client:
                return await work(client)

        return asyncio.run(inside())

    @contextlib.asynccontextmanager
    async def client(self, key: str = "", limits: Limits = PLENTY) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the service, which is closed behind it."""
        chats = Chats.open({"": str(self.repo.path)}, self.cache)
        app = make_app({"files": Repeating(name="files")}, limits, key, chats=chats)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as it,
        ):
            yield it


@pytest.fixture(scope="session")
def shop_built(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """The repository, not to be changed."""
    repo = Repo.new(tmp_path_factory.mktemp("built") / "shop")
    repo.commit("add the basket", {"shop/basket.py": BASKET.replace("0.9", "0.95")})
    repo.commit("raise the discount to a tenth\n\nCustomers asked for more.", {"shop/basket.py": BASKET})
    repo.commit("describe it", {"docs/guide.md": GUIDE})
    return repo


@pytest.fixture
def shop(shop_built: Repo, tmp_path: Path) -> Asking:
    """A copy of it behind the service."""
    return Asking(Repo(shutil.copytree(shop_built.path, tmp_path / "shop"), shop_built.clock), tmp_path / "cache")


@contextlib.contextmanager
def listening(app: FastAPI) -> Iterator[int]:
    """The port at which an app answers, in a thread of this process. Its tests have the mark ON_LOOPBACK."""
    server = server_of(app)
    with bound("127.0.0.1", 0) as place:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        wait_for(lambda: server.started)
        yield int(place.getsockname()[1])
        server.should_exit = True
        thread.join()
