"""What a name may mean."""

from __future__ import annotations

from typing import NamedTuple

from thoughts.mapping.program import FILE, Place

MODULE, CLASS, FUNCTION, INSTANCE, SUPER, ELSEWHERE = "module", "class", "function", "instance", "super", "elsewhere"


class Thing(NamedTuple):
    """What a name may mean. Of a class also an object of it, or what its bases have."""

    kind: str
    path: str = ""
    number: int = FILE

    @property
    def place(self) -> Place:
        """Its definition."""
        return Place(self.path, self.number)


Things = tuple[Thing, ...]
OUTSIDE: Things = (Thing(ELSEWHERE),)
"""What is not of this repository. An empty tuple is what nothing is known of."""
