"""What an answer is made of: statements, each with the citations that it stands on."""

from __future__ import annotations

from dataclasses import dataclass, field

from chat.citations import Citation


@dataclass(frozen=True)
class Statement:
    """A sentence or two with their sources; `why` says what is wrong with one that its sources do not support."""

    text: str
    citations: tuple[Citation, ...]
    why: str = ""

    @property
    def supported(self) -> bool:
        """Whether it may be taken for true."""
        return not self.why


@dataclass(frozen=True)
class Found:
    """Statements, with a sentence that leads to them, and sentences about what could not be looked at."""

    statements: list[Statement]
    notes: list[str] = field(default_factory=list)
    lead: str = ""
    known: bool = True
    """False where they are only the nearest to an answer."""

    @classmethod
    def nothing(cls, *notes: str) -> Found:
        """No statement."""
        return cls([], list(notes))
