"""What stores hold: repositories, evidence, and entries of three kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

ANY = "*"
"""The archetype of entries that hold for all repositories."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Observation = dict[str, int | float | str]
"""What was observed of each target, by name: a number for a size, a word for a choice."""


class RepositoryState(msgspec.Struct, kw_only=True):
    """A repository that evidence comes from, and how far it was read."""

    key: str
    """`root:<first commit of its main line>`: the same for every clone, whatever its path and name."""
    name: str
    location: str
    """Path of a clone, or its URL; without credentials."""
    archetype: str = ANY
    archetype_confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    github_id: Count | None = None
    """GitHub's id, which stays when the repository is renamed."""
    licence: str = ""
    stars: Count | None = None
    head: str = ""
    """The commit up to which it was read: a refresh starts there."""
    rules: str = ""
    """Digest of the rules and settings that it was read with; if they change, it is read again from the start."""
    issues_until: str = ""
    """The latest change of an issue that was read, ISO 8601 in UTC."""
    facts: dict[str, Any] = {}
    """Figures for people; nothing depends on them."""


class Evidence(msgspec.Struct, kw_only=True, frozen=True):
    """One observation in one commit. `git cat-file -e SHA` in a clone shows that the commit exists."""

    context_type: str
    option: str
    repository: str
    """Key of the repository."""
    sha: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{40,64}$")]
    at: Count
    """Time of the commit, in seconds since 1970."""
    outcome: Observation
    note: str = ""
    """Text for people, such as the message of an error."""


class Own(msgspec.Struct, kw_only=True):
    """What an agent has reported; seeding never changes it."""

    successes: int = 0
    failures: int = 0
    ema: float | None = None
    """Moving average of the outcomes, starting at the seeded mean. None before the first outcome."""
    value: Any = None
    """The value that the agent reported last."""


class Entry(msgspec.Struct, kw_only=True):
    """What all kinds of entries have in common."""

    archetype: str = ANY
    confidence: float = 0.0
    """Lower bound of the posterior: with 95 % probability the share is above it."""
    sample_count: int = 0
    """How many pieces of evidence there are."""
    source: str = "own"
    """"github…" or "history:…" for a seeded entry, "own" for an agent's, "default" for one that ships with the code.

    "withdrawn": it was seeded and its evidence is gone, but an agent has reported on it.
    """
    source_repos: list[str] = []
    prior: tuple[float, float] = (1.0, 1.0)
    """Beta(a, b) from the evidence. Its weight is capped, so that an agent's own outcomes soon count for more."""
    quantiles: dict[str, dict[str, float]] = {}
    """For each size: {"p50", "p75", "p90", "n", "n_repos"}."""
    shares: dict[str, dict[str, float]] = {}
    """For each choice: the share of each word."""
    gate: dict[str, Any] = {}
    """How well the evidence predicted repositories it does not come from: why the entry was let in."""
    evidence_of: tuple[str, str] = ("", "")
    """(context type, option) of the evidence."""
    own: Own = msgspec.field(default_factory=Own)
    id: int | None = None


class VVector(Entry, kw_only=True):
    """What to set the agent's parameters to in one context."""

    context_type: str
    option: str
    evolved_value: dict[str, Any]


class Pattern(Entry, kw_only=True):
    """What is usually done in one step of an agent's work."""

    agent: str
    step: str
    key: str = ""
    pattern: dict[str, Any]
    quality_score: float = 0.0
    """How common it is, 0 to 10: ten times the confidence. History does not show how good it is."""


class Failure(Entry, kw_only=True):
    """What does not work in one step of an agent's work."""

    agent: str
    step: str
    error_type: str
    key: str = ""
    description: str
    occurrence_count: int = 0


class RepositoryEvidence(msgspec.Struct, kw_only=True):
    """All evidence that a store is to hold from one repository; any other evidence from it is removed."""

    state: RepositoryState
    evidence: Iterable[Evidence]


class StoreChange(msgspec.Struct, kw_only=True):
    """What an import changed. All zero: nothing was written."""

    repositories: int = 0
    evidence_added: int = 0
    evidence_removed: int = 0
    entries_added: int = 0
    entries_changed: int = 0
    entries_retired: int = 0

    def __bool__(self) -> bool:
        """True if anything changed."""
        return any(msgspec.structs.astuple(self))

    def __str__(self) -> str:
        """The figures that are not zero, in words."""
        figures = {name.replace("_", " "): number for name, number in msgspec.structs.asdict(self).items() if number}
        return ", ".join(f"{number:,} {name}" for name, number in figures.items()) or "nothing new"
