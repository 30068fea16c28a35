"""Finds credentials in text.

One RE2 automaton of what each rule cannot do without passes over all text; only where it stops are rules
run, and only those that it saw. Each of them looks at bounded windows from there on.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from core.text.secrets import calls, commands, documents, tokens
from core.text.secrets.documents import Manifests, Wrapped
from core.text.secrets.jwt import WebTokens
from core.text.secrets.keys import KeyLines, WholeKeys
from core.text.secrets.patterns import AnyOf, Pattern, searched
from core.text.secrets.rules import Finder
from core.text.secrets.secret import Secret
from core.text.secrets.settings import Settings

_WORD_START, _WORD_END = Pattern(r"[A-Za-z0-9_-]*\z"), Pattern("[A-Za-z0-9_=-]*")
_MOST_BEFORE, _MOST_BEHIND = 64, 4_096
_WHOLE = ("password", "basic_auth", "private_key", "aws", "azure")
"""Kinds whose rules know where the credential ends."""


def suspects(texts: Iterable[str]) -> bool:
    """False where none of the texts holds a credential: one pass over all of them."""
    return _anchors().found(searched("\n".join(texts)))


def find(text: str) -> list[Secret]:
    """The credentials in a text, in order, none overlapping another."""
    data = searched(text)
    finders = all_finders()
    found = [secret for number in _anchors().which(data) for secret in finders[number].find(data)]
    return _joined([_whole_word(data, secret) for secret in found])


@functools.cache
def all_finders() -> tuple[Finder, ...]:
    """Every rule; those of whole keys and providers before those that go by a name."""
    return (*_by_form(), Wrapped(_unwrapped), Manifests(), *commands.URLS, *commands.RULES, *calls.RULES, Settings())


@functools.cache
def _by_form() -> tuple[Finder, ...]:
    return (WholeKeys(), KeyLines(), *tokens.RULES, WebTokens(), *documents.RULES)


def _unwrapped(text: str) -> list[Secret]:
    """What base64 says is a credential only by its form."""
    data = searched(text)
    finders = _by_form()
    which = _anchors_of_forms().which(data)
    return [secret for number in which for secret in finders[number].find(data)]


@functools.cache
def _anchors() -> AnyOf:
    return AnyOf([finder.anchor for finder in all_finders()])


@functools.cache
def _anchors_of_forms() -> AnyOf:
    return AnyOf([finder.anchor for finder in _by_form()])


def _whole_word(data: bytes, secret: Secret) -> Secret:
    """A match may be a part of a longer key."""
    start, end, kind = secret
    if kind in _WHOLE:
        return secret
    before = _WORD_START.within(data, max(start - _MOST_BEFORE, 0), start)
    behind = _WORD_END.at(data, end, min(end + _MOST_BEHIND, len(data)))
    return Secret(before[0] if before else start, behind[1] if behind else end, kind)


def _joined(found: list[Secret]) -> list[Secret]:
    joined: list[Secret] = []
    for secret in sorted(found, key=lambda one: (one.start, -one.end)):
        if joined and secret.start < joined[-1].end:
            last = joined[-1]
            joined[-1] = Secret(last.start, max(last.end, secret.end), last.kind)
        else:
            joined.append(secret)
    return joined
