"""What stores hold and what is put into them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

ANY = "*"
"""The archetype of what holds for all repositories."""
Outcome = dict[str, int | float | str]
"""What was seen, by the name of the target: a number for a size, a word for a choice."""


class RepositoryState(msgspec.Struct, kw_only=True):
    """A repository that evidence comes from, and how far it has been read."""

    key: str
    """`root:<first commit of its main line>`: the same for every clone, wherever it lies and whatever it is called."""
    name: str
    location: str
    """Where a clone lies, or its URL; without credentials."""
    archetype: str = ANY
    archetype_confidence: float = 0.0
    github_id: int | None = None
    """GitHub's number of it, which renaming does not change."""
    licence: str = ""
    stars: int | None = None
    head: str = ""
    """Commit up to which it has been read: what a refresh starts from."""
    rules: str = ""
    """Digest of the rules and settings that it was read with; with others it is read anew."""
    issues_until: str = ""
    """Latest change of an issue that has been read, ISO 8601 in UTC."""
    facts: dict[str, Any] = {}
    """What was seen of it and decides nothing: figures for people."""


class Evidence(msgspec.Struct, kw_only=True, frozen=True):
    """One thing seen in one commit. `git cat-file -e SHA` in a clone shows that the commit exists."""

    context_type: str
    option: str
    repository: str
    """Key of the repository."""
    sha: str
    at: int
    """When the commit was made, seconds since 1970."""
    outcome: Outcome
    note: str = ""
    """Words for people, such as the text of an error."""


class Own(msgspec.Struct, kw_only=True):
    """What an agent has seen itself; seeding never changes it."""

    successes: int = 0
    failures: int = 0
    ema: float | None = None
    """Moving average of the outcomes; starts at the seeded mean. None before the first."""
    value: Any = None
    """The value that the agent last reported to have used."""


class Entry(msgspec.Struct, kw_only=True):
    """What all entries have. Times and sizes are as the evidence has them."""

    archetype: str = ANY
    confidence: float = 0.0
    """Lower bound of the posterior: the share that it speaks of is larger, with 95 % probability."""
    sample_count: int = 0
    """Pieces of evidence."""
    source: str = "own"
    """"github…" or "history:…" for seeded entries, "own" for an agent's, "default" for what ships with the code.

    "withdrawn": it was seeded, its evidence is gone, and it stays since an agent has reported on it.
    """
    source_repos: list[str] = []
    prior: tuple[float, float] = (1.0, 1.0)
    """Beta(a, b) from the evidence, at a capped weight, so that an agent's own outcomes soon count for more."""
    quantiles: dict[str, dict[str, float]] = {}
    """Of each size: {"p50", "p75", "p90", "n", "n_repos"}."""
    shares: dict[str, dict[str, float]] = {}
    """Of each choice: how often which was seen."""
    gate: dict[str, Any] = {}
    """How the evidence did on repositories that it does not come from: what let the entry in."""
    evidence_of: tuple[str, str] = ("", "")
    """(context type, option) of its evidence."""
    own: Own = msgspec.field(default_factory=Own)
    id: int | None = None


class VVector(Entry, kw_only=True):
    """What to set a parameter of the agent to, in one context."""

    context_type: str
    option: str
    evolved_value: dict[str, Any]


class Pattern(Entry, kw_only=True):
    """What is usually done in one step of the work."""

    agent: str
    step: str
    key: str = ""
    pattern: dict[str, Any]
    quality_score: float = 0.0
    """How common it is, 0 to 10: ten times the confidence. History does not tell how good it is."""


class Failure(Entry, kw_only=True):
    """What does not work in one step of the work."""

    agent: str
    step: str
    error_type: str
    key: str = ""
    description: str
    occurrence_count: int = 0


class RepositoryEvidence(msgspec.Struct, kw_only=True):
    """All that a store is to hold of one repository; what it holds beside this goes."""

    state: RepositoryState
    evidence: Iterable[Evidence]


class Change(msgspec.Struct, kw_only=True):
    """What an import did. All zero: nothing had to be done, and nothing was written."""

    repositories: int = 0
    evidence_added: int = 0
    evidence_removed: int = 0
    entries_added: int = 0
    entries_changed: int = 0
    entries_retired: int = 0

    def __bool__(self) -> bool:
        """True where the store is other than before."""
        return any(msgspec.structs.astuple(self))

    def __str__(self) -> str:
        """The figures that are not zero, as words."""
        figures = {name.replace("_", " "): number for name, number in msgspec.structs.asdict(self).items() if number}
        return ", ".join(f"{number:,} {name}" for name, number in figures.items()) or "nothing new"
