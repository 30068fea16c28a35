"""A card: what is to be known of a function, type or file at a commit, in statements that git has confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from chat.citations import Citation, Citations
from chat.statements import Statement

FACT = "card"
"""What cards are called that are kept as facts; their scope is the card's."""
WHAT, HISTORY, OWNERS, USES, TESTS, COMPANIONS, RISK = (
    *("what", "history", "owners", "uses", "tests", "companions", "risk"),
)
TITLES: Mapping[str, str] = {
    WHAT: "What it does",
    HISTORY: "Since when, and why it changed",
    OWNERS: "Who knows it",
    USES: "What uses it",
    TESTS: "Tests",
    COMPANIONS: "What changes with it",
    RISK: "Risk of its file",
}
"""The groups of a card, in their order."""


@dataclass(frozen=True)
class Group:
    """Statements of one kind."""

    name: str
    """One of TITLES."""
    statements: tuple[Statement, ...]
    lead: str = ""
    """What stands before them, such as how many there are."""


@dataclass(frozen=True)
class Card:
    """What is to be known of a symbol or, without a name, of a file."""

    path: str
    name: str
    kind: str
    first: int
    """Lines count from 1, both included."""
    last: int
    at: str
    """The commit."""
    blob: str
    """The content of the file: at a commit whose file has another one, the card is stale."""
    groups: tuple[Group, ...]
    """Those that have something to say."""
    notes: tuple[str, ...] = ()
    """What was not found or could not be looked at."""
    written_by: str = ""
    """The language model that wrote the first statement, if one did."""

    @property
    def scope(self) -> str:
        """What the card is about, as commands and facts name it: `path`, or `path:name`."""
        return f"{self.path}:{self.name}" if self.name else self.path

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All of them."""
        return tuple(one for group in self.groups for one in group.statements)

    def of(self, group: str) -> tuple[Statement, ...]:
        """The statements of a group; none where it has nothing to say."""
        return next((one.statements for one in self.groups if one.name == group), ())

    def as_dict(self) -> dict[str, Any]:
        """The card, ready for JSON."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def moved(self, citations: Citations, commit: str) -> Card:
        """The same at a later commit whose file has the same content; what is gone elsewhere is left out."""
        if commit == self.at:
            return self
        groups = [replace(group, statements=_still(group.statements, citations, commit)) for group in self.groups]
        return replace(self, at=commit, groups=tuple(one for one in groups if one.statements))


def card_from(value: Any) -> Card:
    """A card from JSON. Raises msgspec.ValidationError where it is none."""
    return msgspec.convert(value, Card)


def _still(statements: tuple[Statement, ...], citations: Citations, commit: str) -> tuple[Statement, ...]:
    found = []
    for one in statements:
        moved = [citations.moved(citation, commit).citation for citation in one.citations]
        kept: tuple[Citation, ...] = tuple(citation for citation in moved if citation)
        if len(kept) == len(moved):
            found.append(replace(one, citations=kept))
    return tuple(found)
