"""How much an answer about places shows."""

from __future__ import annotations

import msgspec


class Policy(msgspec.Struct, frozen=True):
    """How many places, whether also what calls the first one, and how much of each."""

    places: int = 5
    hops: int = 1
    """Of callers, to a question that asks how."""
    terse: bool = False
    """Of a place, only the lines that hold most of the question's words."""

    @property
    def name(self) -> str:
        """In words."""
        callers = "" if self.hops else ", no callers"
        return f"{self.places} places{callers}{', best lines only' if self.terse else ''}"


DEFAULT = Policy()
ARMS = (
    DEFAULT,
    Policy(places=3),
    Policy(places=8),
    Policy(hops=0),
    Policy(terse=True),
    Policy(places=3, hops=0, terse=True),
)
"""That are tried; the first is the default."""
