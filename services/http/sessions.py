"""Who asks: by a key, or by a cookie in its place, which pages send."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import cookie_parser

from patterns.memory.identity import Identity, prefix_of
from patterns.memory.team_memory import TeamMemory

COOKIE = "gitlore_session"
SIGN_IN = "/sign-in"


@dataclass(frozen=True)
class Visitor:
    """Somebody who may ask."""

    identity: Identity | None = None
    """The member of the team, where the service has one."""


class Sessions:
    """Knows the service's own key, and where it has a team, those of its members.

    The service's own key is then an admin's. Cookies are worth nothing once the service has been started again, nor
    once the key that was given for them is revoked.
    """

    def __init__(self, key: str, team: TeamMemory | None = None) -> None:
        self._key, self._team = key.encode(), team
        self._secret = secrets.token_bytes(32)

    @property
    def are_needed(self) -> bool:
        """Whether there are keys."""
        return bool(self._key) or self._team is not None

    def who(self, headers: Mapping[bytes, bytes]) -> Visitor | None:
        """Who sends these headers; None where they may not ask. May read the team's database."""
        if not self.are_needed:
            return Visitor()
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        given = given if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"")
        return self._known(given.strip()) or self._signed_in(headers.get(b"cookie", b""))

    def cookie_for(self, key: bytes) -> str:
        """The cookie of whoever signs in with a key; empty where it is none."""
        if self._known(key.strip()) is None:
            return ""
        prefix = prefix_of(_text(key.strip()))
        return f"{prefix}.{self._sign(prefix)}"

    def _known(self, given: bytes) -> Visitor | None:
        if self._key and hmac.compare_digest(given, self._key):
            return Visitor(self._team.admin() if self._team else None)
        identity = self._team.identify(_text(given)) if self._team else None
        return Visitor(identity) if identity else None

    def _signed_in(self, cookies: bytes) -> Visitor | None:
        prefix, _, signature = cookie_parser(cookies.decode("latin-1")).get(COOKIE, "").partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(prefix).encode()):
            return None
        if not prefix:
            return Visitor(self._team.admin() if self._team else None)
        identity = self._team.identify_session(prefix) if self._team else None
        return Visitor(identity) if identity else None

    def _sign(self, prefix: str) -> str:
        return hmac.new(self._secret, self._key + b"\n" + prefix.encode(), hashlib.sha256).hexdigest()


def _text(key: bytes) -> str:
    return key.decode("utf-8", "replace")
