"""Who may use the service."""

from __future__ import annotations

from urllib.parse import quote

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
_READING = ("GET", "HEAD")
_NO_ORIGIN = "a browser's session changes nothing without an Origin; programs send a key instead"


class KeyGuard:
    """Refuses requests without an API key before their bodies are read; where there are no keys, everybody is let in.

    Whose key it is stands in the request's state: no route asks again. The key is a bearer token, or stands in
    X-API-Key; a browser whose user has signed in sends a cookie, and with it the origin of whatever page changes
    something. Who opens a page without it is sent to sign in, where there are pages.
    """

    def __init__(self, app: ASGIApp, *, sessions: Sessions, has_pages: bool) -> None:
        self._app, self._sessions, self._has_pages = app, sessions, has_pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or self._is_open(scope["path"]):
            return await self._app(scope, receive, send)
        headers = dict(scope["headers"])  # bytes: a key may be any text
        if visitor := await run_in_threadpool(self._sessions.who, headers):  # it may read a database
            scope.setdefault("state", {}).update(identity=visitor.identity, signed_in=visitor.signed_in)
            if visitor.signed_in and scope["method"] not in _READING and b"origin" not in headers:
                return await error_response(403, _NO_ORIGIN, scope)(scope, receive, send)
            return await self._app(scope, receive, send)
        if self._has_pages and scope["method"] == "GET" and wants_page(Headers(scope=scope)):
            return await RedirectResponse(_sign_in(scope), 303)(scope, receive, send)
        needed = f"{_NEEDED}; people sign in at {SIGN_IN}" if self._has_pages else _NEEDED
        answer = error_response(401, needed, scope)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return await answer(scope, receive, send)

    @staticmethod
    def _is_open(path: str) -> bool:
        return path in WITHOUT_KEY or path.startswith(STATIC)


def _sign_in(scope: Scope) -> str:
    """Where to sign in, and come back from to what was asked for."""
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = quote(scope["path"]) + (f"?{query}" if query else "")
    return SIGN_IN if wanted == "/" else f"{SIGN_IN}?to={quote(wanted)}"
