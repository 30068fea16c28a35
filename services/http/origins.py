"""Which web pages may reach the service: none but its own.

A page of any site can make the browser of whoever opens it send requests, to this machine too, and its site's name can
be made to mean this machine (DNS rebinding), so that the browser takes the service for the page's own site.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.http.errors import error_response

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OriginGuard:
    """Refuses requests of other sites' pages; with `loopback_only`, also those that call this machine by another name.

    The latter is for a service without a key: a page that must know a key gains nothing by its name.
    """

    def __init__(self, app: ASGIApp, *, loopback_only: bool) -> None:
        self._app, self._loopback_only = app, loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            host, origin = headers.get("host", ""), headers.get("origin")
            if self._loopback_only and urlsplit(f"//{host}").hostname not in LOOPBACK:
                message = f"without a key, the service is reached as localhost alone, not as {host!r}"
                return await error_response(421, message)(scope, receive, send)
            if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
                return await error_response(403, f"pages of {origin!r} may not ask")(scope, receive, send)
        return await self._app(scope, receive, send)
