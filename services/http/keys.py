"""Who may use the service."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.http.errors import error_response, wants_page
from services.http.sessions import SIGN_IN, Sessions

WITHOUT_KEY = ("/health", SIGN_IN)
"""A load balancer has none, and who signs in gives it there."""
STATIC = "/static/"
"""Below it are files that everybody may have: they are the same for all who use Gitlore."""

_NEEDED = "a valid API key is needed: Authorization: Bearer …"


class KeyGuard:
    """Refuses requests without an API key before their bodies are read; where there are no keys, everybody is let in.

    Whose key it is stands in the request's state: no route asks again. The key is a bearer token, or stands in
    X-API-Key; a browser whose user has signed in sends a cookie. Who opens a page without it is sent to sign in, where
    there are pages.
    """

    def __init__(self, app: ASGIApp, *, sessions: Sessions, has_pages: bool) -> None:
        self._app, self._sessions, self._has_pages = app, sessions, has_pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or self._is_open(scope["path"]):
            return await self._app(scope, receive, send)
        headers = dict(scope["headers"])  # bytes: a key may be any text
        if visitor := await run_in_threadpool(self._sessions.who, headers):  # it may read a database
            scope.setdefault("state", {})["identity"] = visitor.identity
            return await self._app(scope, receive, send)
        if self._has_pages and scope["method"] == "GET" and wants_page(Headers(scope=scope)):
            return await RedirectResponse(SIGN_IN, 303)(scope, receive, send)
        needed = f"{_NEEDED}; people sign in at {SIGN_IN}" if self._has_pages else _NEEDED
        answer = error_response(401, needed, scope)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return await answer(scope, receive, send)

    @staticmethod
    def _is_open(path: str) -> bool:
        return path in WITHOUT_KEY or path.startswith(STATIC)
