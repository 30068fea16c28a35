"""Who asks: by a key, or by a cookie in its place, which pages send."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import cookie_parser

from patterns.memory.identity import Identity, prefix_of
from patterns.memory.team_memory import TeamMemory

COOKIE = "gitlore_session"
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
MOST_SESSIONS = 20
"""Of one key at a time; the oldest end."""


@dataclass(frozen=True)
class Visitor:
    """Somebody who may ask."""

    identity: Identity | None = None
    """The member of the team, where the service has one."""
    signed_in: bool = False
    """By a cookie: a browser sends it along, whoever's page made it ask."""


class Sessions:
    """Knows the service's own key, and where it has a team, those of its members.

    The service's own key is then an admin's. Cookies are worth nothing once the service has been started again, nor
    once the key that was given for them is revoked, nor after signing out.
    """

    def __init__(self, key: str, team: TeamMemory | None = None) -> None:
        self._key, self._team = key.encode(), team
        self._open: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    @property
    def are_needed(self) -> bool:
        """Whether there are keys."""
        return self.has_key or self.has_team

    @property
    def has_key(self) -> bool:
        """Whether the service has a key of its own."""
        return bool(self._key)

    @property
    def has_team(self) -> bool:
        """Whether the keys of a team's members are known."""
        return self._team is not None

    def who(self, headers: Mapping[bytes, bytes]) -> Visitor | None:
        """Who sends these headers; None where they may not ask. May read the team's database."""
        if not self.are_needed:
            return Visitor()
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        given = given if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"")
        cookie = cookie_parser(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE, "")
        return self._known(given.strip()) or self._signed_in(cookie)

    def begin(self, key: bytes) -> str:
        """The cookie of whoever signs in with a key; empty where it is none."""
        if self._known(key.strip()) is None:
            return ""
        prefix, token = prefix_of(_text(key.strip())), secrets.token_urlsafe(32)
        with self._lock:
            self._open[prefix] = (*self._open.get(prefix, ()), token)[-MOST_SESSIONS:]
        return f"{prefix}.{token}"

    def end(self, cookie: str) -> None:
        """Make a cookie worthless; nothing happens where it is so already."""
        prefix, _, token = cookie.partition(".")
        with self._lock:
            if left := tuple(one for one in self._open.get(prefix, ()) if not _same(one, token)):
                self._open[prefix] = left
            else:
                self._open.pop(prefix, None)

    def _known(self, given: bytes) -> Visitor | None:
        if self._key and hmac.compare_digest(given, self._key):
            return Visitor(self._team.admin() if self._team else None)
        identity = self._team.identify(_text(given)) if self._team else None
        return Visitor(identity) if identity else None

    def _signed_in(self, cookie: str) -> Visitor | None:
        prefix, _, token = cookie.partition(".")
        if not any(_same(one, token) for one in self._open.get(prefix, ())):
            return None
        if not prefix:
            return Visitor(self._team.admin() if self._team else None, signed_in=True)
        identity = self._team.identify_session(prefix) if self._team else None
        return Visitor(identity, signed_in=True) if identity else None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))


def _text(key: bytes) -> str:
    return key.decode("utf-8", "replace")
