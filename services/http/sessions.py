"""Sessions of people's browsers: a cookie in the place of the API key, which pages do not send."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from starlette.requests import cookie_parser

COOKIE = "gitlore_session"
SIGN_IN = "/sign-in"


class Sessions:
    """Signs people in who know the key. The cookie is worth nothing once the service has been started again."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self.token = hmac.new(secrets.token_bytes(32), self._key, hashlib.sha256).hexdigest()

    @property
    def are_needed(self) -> bool:
        """Whether there is a key."""
        return bool(self._key)

    def knows(self, key: bytes) -> bool:
        """Whether this is the key."""
        return hmac.compare_digest(key.strip(), self._key)

    def has(self, cookies: bytes) -> bool:
        """Whether a Cookie header is that of somebody who has signed in."""
        found = cookie_parser(cookies.decode("latin-1")).get(COOKIE, "")
        return hmac.compare_digest(found.encode(), self.token.encode())
