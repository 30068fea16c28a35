"""A service with a team in it, as its members' browsers see it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2 as httpx
from fastapi import FastAPI
from team_made_up import ROLES_OF, MadeTeam, new

from services.http.rates import Rate, Rates
from services.http.sessions import COOKIE

PLENTY = Rates({"read": Rate(1e6, 1e6), "write": Rate(1e6, 1e6)})
Client = httpx.AsyncClient
NOBODY = "nobody"
AS_BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class Site:
    """A service with a team in it, whose members have signed in with a browser."""

    def __init__(self, app: FastAPI, made: MadeTeam) -> None:
        self.made, self.keys = made, {name: made.key(name) for name in ROLES_OF}
        self._transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._cookies: dict[str, str] = {}

    def __call__(self, name: str, work: Callable[[Client], Awaitable[Any]]) -> Any:
        """What a function gets that is called with a member's browser."""

        async def inside() -> Any:
            headers = {**AS_BROWSER, "Origin": "http://localhost"}
            async with Client(transport=self._transport, base_url="http://localhost", headers=headers) as client:
                if name != NOBODY:
                    if name not in self._cookies:
                        await client.post("/sign-in", data={"key": self.keys[name]})
                        self._cookies[name] = client.cookies[COOKIE]
                    client.cookies.set(COOKIE, self._cookies[name], domain="localhost.local")
                return await work(client)

        return asyncio.run(inside())

    def get(self, name: str, path: str) -> httpx.Response:
        """A page that a member opens."""
        return self(name, lambda client: client.get(path))

    def post(self, who: str, path: str, /, **fields: str) -> httpx.Response:
        """What a member's form is answered."""
        return self(who, lambda client: client.post(path, data=fields))

    def pattern(self, name: str = "mia", number: int = 0, **values: Any) -> str:
        """The id of a pattern that a member has added."""
        return self.made.add(name, new(number, **values))[0].id
