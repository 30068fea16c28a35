"""A service whose repositories were studied, and a repository in the same database that it does not serve."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
from answerers import Repeating
from builders import Repo
from fastapi import FastAPI

from core.config import StudyConfig
from services.app import make_app
from services.chats import Chats
from services.http.limits import Limits
from services.studies import Studies
from tests.services.team_site import AS_BROWSER
from thoughts.studying import Study, opened


@dataclass
class StudiedSite:
    """It serves `shop` and `other`; `hidden` is in the same database."""

    app: FastAPI
    studies: Studies
    hidden: Study

    @property
    def shop(self) -> Study:
        return self.studies.by_name["shop"].study

    @property
    def other(self) -> Study:
        return self.studies.by_name["other"].study

    def __call__(self, work: Callable[[httpx.AsyncClient], Awaitable[Any]], **headers: str) -> Any:
        """What a function gets that is called with a client."""

        async def inside() -> Any:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
                return await work(client)

        return asyncio.run(inside())

    def get(self, path: str, **headers: str) -> httpx.Response:
        """What a program is answered."""
        return self(lambda client: client.get(path), **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """What a program is answered that sends JSON."""
        return self(lambda client: client.post(path, json=body), **headers)

    def page(self, path: str) -> httpx.Response:
        """What a browser is shown."""
        return self.get(path, **AS_BROWSER)

    def form(self, path: str, /, **fields: str) -> httpx.Response:
        """What a browser is answered that sends a form."""
        return self(lambda client: client.post(path, data=fields), **AS_BROWSER)


@contextlib.contextmanager
def studied(shop: Repo, other: Repo, hidden: Repo, cache: Path, key: str = "", **more: Any) -> Iterator[StudiedSite]:
    """Nothing was studied yet, and nothing is in the background."""
    chats = Chats.open({"shop": str(shop.path), "other": str(other.path)}, cache)
    settings = StudyConfig()
    studies = Studies.open(chats, cache, settings)
    app = make_app({"files": Repeating(name="files")}, Limits(), key, chats=chats, studies=studies, **more)
    try:
        with opened(str(hidden.path), cache, settings) as study:
            yield StudiedSite(app, studies, study)
    finally:
        studies.close()
        chats.close()
