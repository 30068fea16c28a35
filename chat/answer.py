"""An answer: statements with numbered citations, and what it was answered from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chat.citations import SHORT, Citation
from chat.learning.policies import DEFAULT, Policy
from chat.questions import Kind
from chat.statements import Statement
from core.text.redaction import Redactor
from index.hits import Hit

SHOWN_LINES = 12
"""Of a source."""
SHOWN_WIDTH = 160
_REDACTOR = Redactor()


@dataclass(frozen=True)
class State:
    """Which commit was answered from, and how far it is from the newest."""

    commit: str
    branch: str
    behind: int = 0
    beside: int = 0
    """Commits that it has and the branch has not."""
    is_gone: bool = False
    """The repository does not have it any longer."""

    def in_words(self) -> str:
        """One sentence."""
        short = self.commit[:SHORT]
        if self.is_gone:
            return f"answered at {short}, which the repository does not have any longer"
        if not self.behind and not self.beside:
            return f"answered at {short}, the newest of {self.branch}"
        parts = []
        if self.behind:
            parts.append(f"{self.behind:,} commit{'s' * (self.behind > 1)} behind {self.branch}")
        if self.beside:
            parts.append(f"{self.beside:,} beside it" if self.behind else f"{self.beside:,} ahead of {self.branch}")
        return f"answered at {short}, {' and '.join(parts)}"


@dataclass(frozen=True)
class Answer:
    """What is said to a question. Every citation has been checked against git."""

    question: str
    kind: Kind
    state: State
    statements: list[Statement]
    lead: str = ""
    notes: list[str] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    """The places that were found, the best first."""
    known: bool = True
    """False where what is shown is only the nearest."""
    written_by: str = ""
    """The language model that wrote the statements, "" where they are the repository's own words."""
    policy: Policy = DEFAULT
    """How much of places was shown."""
    weights: str = ""
    """Version of the weights that places were put in order by."""

    @property
    def subject(self) -> Hit | None:
        """The place that it is about, which "it" stands for in a question that follows; None where there is none."""
        return self.hits[0] if self.hits else None

    @property
    def citations(self) -> list[Citation]:
        """All citations, each once, in the order in which they come; their numbers count from 1."""
        return list(dict.fromkeys(one for statement in self.statements for one in statement.citations))

    def as_dict(self, *, why: bool = False) -> dict[str, Any]:
        """The answer, ready for JSON; with `why` also the places that were found and what spoke for them."""
        numbers = {one: number for number, one in enumerate(self.citations, start=1)}
        found: dict[str, Any] = {
            "question": self.question,
            "kind": self.kind,
            "known": self.known,
            "lead": self.lead,
            "statements": [
                {
                    "text": _REDACTOR.masked(one.text),
                    "citations": [numbers[citation] for citation in one.citations],
                    "supported": one.supported,
                    **({"why": one.why} if one.why else {}),
                }
                for one in self.statements
            ],
            "citations": [_record(number, one) for one, number in numbers.items()],
            "notes": self.notes,
            "commit": self.state.commit,
            "branch": self.state.branch,
            "behind": self.state.behind,
            "beside": self.state.beside,
            "state": self.state.in_words(),
            "written_by": self.written_by,
        }
        if why:
            found["hits"] = [_hit_record(hit) for hit in self.hits]
            found |= {"weights_version": self.weights, "context": self.policy.name}
        return found

    def in_words(self, *, why: bool = False) -> str:
        """The answer as it is shown in a terminal; what a terminal would act on is for the caller to spell out.

        Lines are numbered and quoted, commits are named where they are cited.
        """
        lines_cited = (one for one in self.citations if one.path)
        numbers = {one: number for number, one in enumerate(lines_cited, start=1)}
        shown: set[Citation] = set()
        lines = [self.lead] if self.lead else []
        for statement in self.statements:
            commits = "".join(f" [{one}]" for one in statement.citations if not one.path)
            text = _REDACTOR.masked(statement.text)
            again = "".join(f" [{numbers[one]}]" for one in statement.citations if one.path and one in shown)
            lines.append(
                f"- {text}{commits}{again}" if statement.supported else f"- NOT SUPPORTED: {text} ({statement.why})"
            )
            for one in statement.citations:
                if one.path and one not in shown:
                    lines += [f"  [{numbers[one]}] {one}", *_quoted(one)]
            shown |= set(statement.citations)
        lines += self.notes
        if self.written_by:
            lines.append(f"Written by {self.written_by}; each sentence was compared with the lines that it cites.")
        if why:
            lines += ["", f"why these places: {self.policy.name}, by weights {self.weights}", *_reasons(self.hits)]
        return "\n".join([*lines, f"({self.state.in_words()})"])


def _quoted(citation: Citation) -> list[str]:
    """The quoted lines, each with its number."""
    lines = _REDACTOR.masked(citation.quote).split("\n")
    width = len(str(citation.last))
    shown = [
        f"    {number:>{width}}  {line.rstrip()[:SHOWN_WIDTH]}"
        for number, line in enumerate(lines[:SHOWN_LINES], start=citation.first)
    ]
    return [*shown, f"    {'…':>{width}}"] if len(lines) > SHOWN_LINES else shown


def _reasons(hits: Sequence[Hit]) -> list[str]:
    found = []
    for number, hit in enumerate(hits, start=1):
        found.append(f"{number:>3}  {hit.score:7.3f}  {hit.path}:{hit.first}-{hit.last}  {hit.symbol}")
        parts = sorted(hit.features.items(), key=lambda one: -abs(one[1]))
        if named := ", ".join(f"{name} {value:+.3f}" for name, value in parts[:6] if value):
            found.append(f"              {named}")
    return found


def _record(number: int, citation: Citation) -> dict[str, Any]:
    record: dict[str, Any] = {"id": number, "at": str(citation), "commit": citation.commit}
    if citation.path:
        record |= {"path": citation.path, "first": citation.first, "last": citation.last, "blob": citation.blob}
    masked = _REDACTOR.masked(citation.quote)
    return {**record, "quote": masked, **({"masked": True} if masked != citation.quote else {})}


def _hit_record(hit: Hit) -> dict[str, Any]:
    return {
        "path": hit.path,
        "first": hit.first,
        "last": hit.last,
        "symbol": hit.symbol,
        "kind": hit.kind,
        "score": round(hit.score, 6),
        "features": {name: round(value, 6) for name, value in hit.features.items() if value},
    }
