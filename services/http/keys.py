"""Who may use the service."""

from __future__ import annotations

import hmac

from fastapi import HTTPException, Request


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
