"""Who may use the service."""

from __future__ import annotations

import hmac

from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Receive, Scope, Send


class KeyGuard:
    """Refuses requests without the API key; an empty key lets everybody in."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    async def __call__(self, request: Request) -> None:
        """Accept the key as a bearer token or as X-API-Key."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        given = given if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        if self._key and not hmac.compare_digest(given.encode(), self._key):
            raise HTTPException(401, "a valid API key is needed: Authorization: Bearer …")

    def before(self, app: ASGIApp) -> ASGIApp:
        """The same in front of an application that is no route of FastAPI's."""
        return _Guarded(self, app)


class _Guarded:
    """A class, since Starlette takes a function for a route that answers."""

    def __init__(self, guard: KeyGuard, app: ASGIApp) -> None:
        self._guard, self._app = guard, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._guard(Request(scope))
        await self._app(scope, receive, send)
