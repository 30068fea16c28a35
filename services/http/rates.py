"""How often one key may ask: a bucket of requests that fills up again, one for reading and one for writing."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from starlette.types import ASGIApp, Receive, Scope, Send

from patterns.memory.identity import Identity
from services.http.errors import RefusedError

Use = Literal["read", "write"]
MOST_REMEMBERED = 10_000
"""Buckets. The one that was used longest ago is full again."""
_READS = ("/patterns/search", "/mcp")
"""Paths at which POST reads."""


@dataclass(frozen=True)
class Rate:
    """Requests a second, and how many may come at once."""

    per_second: float
    at_once: float


DEFAULT_RATES: dict[Use, Rate] = {"read": Rate(60, 120), "write": Rate(10, 20)}


class Rates:
    """Counts requests by key, in this process alone."""

    def __init__(self, rates: dict[Use, Rate] | None = None) -> None:
        self._rates = rates or DEFAULT_RATES
        self._left: OrderedDict[tuple[str, str, Use], tuple[float, float]] = OrderedDict()

    def wait_s(self, identity: Identity, use: Use) -> float:
        """Take one request; 0 where there was one left, else the seconds until there is."""
        key, rate, at = (identity.team_id, identity.key_prefix, use), self._rates[use], time.monotonic()
        left, since = self._left.pop(key, (rate.at_once, at))
        left = min(rate.at_once, left + (at - since) * rate.per_second)
        self._left[key] = (left - 1 if left >= 1 else left, at)
        if len(self._left) > MOST_REMEMBERED:
            self._left.popitem(last=False)
        return 0.0 if left >= 1 else (1 - left) / rate.per_second

    def take(self, identity: Identity, use: Use) -> None:
        """The same. Raises RefusedError where none is left."""
        if wait_s := self.wait_s(identity, use):
            headers = {"Retry-After": str(math.ceil(wait_s))}
            message = "too many requests with this key, try again in a moment"
            raise RefusedError(429, message, code="rate_limit_exceeded", headers=headers)


class RateLimit:
    """Refuses members' requests beyond their rate."""

    def __init__(self, app: ASGIApp, *, rates: Rates) -> None:
        self._app, self._rates = app, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        identity = scope.get("state", {}).get("identity")
        if scope["type"] == "http" and identity:
            reads = scope["method"] in ("GET", "HEAD") or scope["path"] in _READS
            try:
                self._rates.take(identity, "read" if reads else "write")
            except RefusedError as refused:
                return await refused.answer(scope)(scope, receive, send)
        return await self._app(scope, receive, send)
