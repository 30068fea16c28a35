"""What a commit's message and people say beyond their text: trailers, reverts, origins, bots, identities."""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
from dataclasses import dataclass, field

from core.records.commits import CommitMetadata

# "Fixes #12", "closes: owner/name#3 and #4": what GitHub and GitLab close an issue for.
CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?\s+"
    r"((?:[\w.-]+/[\w.-]+)?#\d+(?:(?:\s*,\s*|\s+and\s+|\s*&\s*)(?:[\w.-]+/[\w.-]+)?#\d+)*|https?://\S+/issues/\d+)",
    re.IGNORECASE,
)
_ISSUE = re.compile(r"(?:[\w.-]+/[\w.-]+)?#\d+|https?://\S+/issues/\d+")
_REVERTS = re.compile(r"\bThis reverts commits? ([0-9a-f]{7,64})", re.IGNORECASE)
_CHERRY_PICK = re.compile(r"\(cherry picked from commit ([0-9a-f]{7,64})\)")
_REVERT_SUBJECT = re.compile(r'^(?:Revert "|revert(?:\([^)]*\))?!?: )', re.IGNORECASE)
CONVENTIONAL_LABEL = re.compile(r"(?P<type>[a-z]+)(?:\([^)]*\))?!?:\s", re.IGNORECASE)
"""The label in front of a subject, as Conventional Commits write it: "fix(parser)!: "."""
# Anything in angle brackets with an @; elsewhere a name in front of a domain with a dot, an IP number or localhost.
EMAIL_ADDRESS = re.compile(
    r"(?<=<)[^<>\s][^<>\n]*@[^<>\n]*(?=>)"
    r"|(?:\"[^\"\n]+\"|(?<![\w.+-])\w[\w.+%!#$&'*/=?^`{|}~-]{0,254})@(?:\[[^\]\s]*\]|localhost\b|[\w-]+(?:\.[\w-]+)+)"
)
_REDACTED = "@redacted.invalid"
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
        for closing in CLOSING.finditer(text):
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
        """The stand-in for an address, itself of the form of an address; "" and stand-ins stay as they are."""
        if not email or email.endswith(_REDACTED):
            return email
        return self._hash(email.strip().lower().encode()) + _REDACTED

    def within(self, text: str, *known: str) -> str:
        """The text with every address in it replaced, and the `known` ones whatever they look like."""
        for email in known:
            text = text.replace(email, self.of(email)) if email else text
        return EMAIL_ADDRESS.sub(lambda found: self.of(found[0]), text) if "@" in text else text

    def redact(self, metadata: CommitMetadata) -> None:
        """Replace every address of people and in messages; once is as good as twice."""
        known = (metadata.author_email, metadata.committer_email)
        metadata.author = self.within(metadata.author, *known)
        metadata.committer = self.within(metadata.committer, *known)
        metadata.message = self.within(metadata.message, *known)
        metadata.message_body = self.within(metadata.message_body, *known)
        metadata.trailers = {
            name: [self.within(value, *known) for value in values] for name, values in metadata.trailers.items()
        }
        metadata.author_email, metadata.committer_email = (self.of(email) for email in known)

    def check(self) -> str:
        """Differs for another key, without revealing it."""
        return self._hash(b"")

    def _hash(self, text: bytes) -> str:
        return hmac.digest(self._salt, text, hashlib.sha256).hex()[:16]


def _add(trailers: dict[str, list[str]], name: str, value: str) -> None:
    values = trailers.setdefault(name, [])
    if value not in values:
        values.append(value)
