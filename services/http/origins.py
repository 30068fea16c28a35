"""Which web pages may reach the service: none but its own.

A page of any site can make the browser of whoever opens it send requests, to this machine too, and its site's name can
be made to mean this machine (DNS rebinding), so that the browser takes the service for the page's own site.
"""

from __future__ import annotations

import ipaddress
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.http.errors import error_response

_HOST = re.compile(r"(?:\[([0-9a-f:.]{2,45})\]|([^\s\[\]:@/?#\\]{0,253}))(?::[0-9]{0,5})?", re.IGNORECASE)
_MOST_SHOWN = 100
"""Characters of a header that an error repeats."""


def is_loopback(name: str) -> bool:
    """Whether this name of a host, or IP address, is that of the machine itself."""
    try:
        return name.lower() == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class OriginGuard:
    """Refuses requests of other sites' pages; with `loopback_only`, also those that call this machine by another name.

    The latter is for a service without a key: a page that must know a key gains nothing by its name.
    """

    def __init__(self, app: ASGIApp, *, loopback_only: bool) -> None:
        self._app, self._loopback_only = app, loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and (problem := self._problem(Headers(scope=scope))):
            return await error_response(*problem, scope)(scope, receive, send)
        return await self._app(scope, receive, send)

    def _problem(self, headers: Headers) -> tuple[int, str] | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if not (named := _HOST.fullmatch(host)):
            return 400, f"this is not the name of a host: {host[:_MOST_SHOWN]!r}"
        if self._loopback_only and not is_loopback(named[1] or named[2]):
            return 421, f"without a key, the service is reached as localhost alone, not as {host[:_MOST_SHOWN]!r}"
        if origin is not None and origin.lower().partition("://")[2] != (host.lower() or None):
            return 403, f"pages of {origin[:_MOST_SHOWN]!r} may not ask"
        return None
