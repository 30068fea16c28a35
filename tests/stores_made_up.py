"""Evidence that is made up, and the entries that follow from it."""

from __future__ import annotations

from typing import Any

from stores.agent.context_types import CONTEXT_TYPES
from stores.agent.records import Evidence, RepositoryEvidence, RepositoryState, VVector
from stores.agent.summary import collect, figures


def made_up(name: str = "a", number: int = 40, option: str = "import_fix", **state: Any) -> RepositoryEvidence:
    """A repository with fixes of growing size."""
    key = f"root:{name}"
    evidence = [
        Evidence(
            context_type="repair_strategy",
            option=option,
            repository=key,
            sha=f"{ord(name[0]):x}{place:038x}"[:40],
            at=1_600_000_000 + place,
            outcome={"files": 1 + place % 3, "lines": 1 + place % 20, "with_tests": "yes" if place % 2 else "no"},
        )
        for place in range(number)
    ]
    return RepositoryEvidence(
        state=RepositoryState(key=key, name=name, location=f"/{name}", **state), evidence=evidence
    )


def entry(
    *repositories: RepositoryEvidence, option: str = "import_fix", archetype: str = "*", **fields: Any
) -> VVector:
    """The entry that follows from such evidence."""
    context = CONTEXT_TYPES["repair_strategy"]
    rows = [
        (piece.repository, piece.outcome) for one in repositories for piece in one.evidence if piece.option == option
    ]
    quantiles, shares = figures(context, collect(context, rows), context.targets)
    value = {"max_edits": int(quantiles["lines"]["p90"])} if quantiles else {}
    defaults = {"prior": (18.0, 4.0), "source": "history:test", "sample_count": len(rows)}
    return VVector(
        context_type="repair_strategy",
        option=option,
        archetype=archetype,
        evolved_value=value,
        quantiles=quantiles,
        shares=shares,
        evidence_of=("repair_strategy", option),
        **{**defaults, **fields},
    )
