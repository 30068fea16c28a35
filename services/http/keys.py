"""Who may use the service."""

from __future__ import annotations

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from services.http.errors import error_response

WITHOUT_KEY = ("/health",)
"""A load balancer has none."""


class KeyGuard:
    """Refuses requests without the API key before their bodies are read; an empty key lets everybody in.

    The key is a bearer token, or stands in X-API-Key.
    """

    def __init__(self, app: ASGIApp, *, key: str) -> None:
        self._app, self._key = app, key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and scope["path"] not in WITHOUT_KEY and not self._admits(scope):
            answer = error_response(401, "a valid API key is needed: Authorization: Bearer …")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return await answer(scope, receive, send)
        return await self._app(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])  # bytes: a key may be any text
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        given = given if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"")
        return not self._key or hmac.compare_digest(given.strip(), self._key)
