"""What a commit's message and people say beyond their text: trailers, reverts, origins, bots, identities."""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
from dataclasses import dataclass, field

# "Fixes #12", "closes: owner/name#3 and #4": what GitHub and GitLab close an issue for.
_CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?\s+"
    r"((?:[\w.-]+/[\w.-]+)?#\d+(?:(?:\s*,\s*|\s+and\s+|\s*&\s*)(?:[\w.-]+/[\w.-]+)?#\d+)*|https?://\S+/issues/\d+)",
    re.IGNORECASE,
)
_ISSUE = re.compile(r"(?:[\w.-]+/[\w.-]+)?#\d+|https?://\S+/issues/\d+")
_REVERTS = re.compile(r"\bThis reverts commits? ([0-9a-f]{7,64})", re.IGNORECASE)
_CHERRY_PICK = re.compile(r"\(cherry picked from commit ([0-9a-f]{7,64})\)")
_REVERT_SUBJECT = re.compile(r'^(?:Revert "|revert(?:\([^)]*\))?!?: )', re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
# Accounts of services that commit by themselves; "[bot]" marks every GitHub App.
_BOT = re.compile(
    r"\[bot\]|^(?:(?:github|gitlab)-actions|dependabot(?:-preview)?|renovate(?:-bot)?|greenkeeper(?:io-bot)?|bors"
    r"|homu|mergify|pyup-bot|requires-io|snyk-bot|imgbot(?:app)?|allcontributors|codecov-io|whitesource-bolt"
    r"|scala-steward|pre-commit-ci|weblate|transifex|semantic-release-bot|lerna-bot|travis ?ci|circleci"
    r"|jenkins|buildbot|rustbot|rust-timer|copybara-service|k8s-(?:ci|merge)-robot|.+[-_ ]bot)$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class MessageFacts:
    """What follows from one message."""

    trailers: dict[str, list[str]] = field(default_factory=dict)
    """Values by name: git's trailers, and "Fixes" and "Reverts" wherever they stand."""
    is_revert: bool = False
    reverts: list[str] = field(default_factory=list)
    """Hashes as the message has them."""
    cherry_pick_of: str | None = None


def facts_of(subject: str, body: str, trailers: str) -> MessageFacts:
    """`trailers` is what git takes for trailers, one a line."""
    found = MessageFacts()
    for line in trailers.split("\n") if trailers else ():
        name, colon, value = line.partition(":")
        if colon:
            _add(found.trailers, name.strip().capitalize(), value.strip())
    text = f"{subject}\n{body}" if body else subject
    if "#" in text or "://" in text:
        for closing in _CLOSING.finditer(text):
            for issue in _ISSUE.findall(closing[1]):
                _add(found.trailers, "Fixes", issue)
    if "everts commit" in body:
        found.reverts = list(dict.fromkeys(_REVERTS.findall(body)))
        for hash_ in found.reverts:
            _add(found.trailers, "Reverts", hash_)
    if "(cherry picked" in body:
        picked = _CHERRY_PICK.findall(body)
        found.cherry_pick_of = picked[-1] if picked else None
    found.is_revert = bool(found.reverts or _REVERT_SUBJECT.match(subject))
    return found


@functools.lru_cache(maxsize=10_000)
def is_bot(name: str, email: str) -> bool:
    """True for the known names of programs that commit."""
    return bool(_BOT.search(name)) or "[bot]" in email


class Pseudonyms:
    """E-mail addresses as keyed hashes: the same address always gets the same name."""

    def __init__(self, salt: bytes) -> None:
        self._salt = salt

    def of(self, email: str) -> str:
        """The stand-in for an address, itself of the form of an address; "" stays ""."""
        if not email:
            return ""
        digest = hmac.digest(self._salt, email.strip().lower().encode(), hashlib.sha256)
        return f"{digest.hex()[:16]}@redacted.invalid"

    def within(self, text: str) -> str:
        """The text with every address in it replaced."""
        return _EMAIL.sub(lambda found: self.of(found[0]), text) if "@" in text else text


def _add(trailers: dict[str, list[str]], name: str, value: str) -> None:
    values = trailers.setdefault(name, [])
    if value not in values:
        values.append(value)
