"""What speaks for a file's risk, in a sentence with the commits that prove it."""

from __future__ import annotations

from chat.citations import SHORT, Citations
from chat.statements import Statement
from thoughts.risk.table import RiskyFile


def in_words(file: RiskyFile, files: int) -> str:
    """Where a file stands among all of its commit, how large it is, and what of it ran where that is known."""
    facts = file.facts
    said = f"riskier than {file.above:.0%} of {files:,} files ({facts.lines:,} lines, {facts.branches:,} branches)"
    return f"{said}; {file.ran}" if file.ran else said


def repaired(file: RiskyFile, files: int, citations: Citations) -> Statement | None:
    """What speaks for a file; None where no repair of it can be cited: its size alone is nothing new."""
    repairs = [found for one in reversed(file.facts.repairs) if (found := citations.cite_commit(one.hash, one.title))]
    if not repairs:
        return None
    named = "; ".join(f"“{one.quote}” ({one.commit[:SHORT]})" for one in repairs)
    return Statement(f"{file.facts.path}: {in_words(file, files)}; repaired by {named}.", tuple(repairs))
