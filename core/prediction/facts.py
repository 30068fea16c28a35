"""What an answer says beside files: symbols, change types, authors, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.ranking import authors, change_types, symbols
from core.ranking.facts import Ranked
from core.ranking.features import Similar
from core.ranking.query import Query
from core.ranking.ranker import FileRanking
from core.ranking.snapshot import Snapshot
from core.ranking.symbols import RankedSymbol, Symbol
from core.ranking.terms import words
from core.ranking.timing import When

_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


@dataclass(frozen=True)
class Facts:
    """The best ones of each kind; without a task, only `when`."""

    symbols: list[RankedSymbol] = field(default_factory=list)
    change_types: list[Ranked] = field(default_factory=list)
    authors: list[Ranked] = field(default_factory=list)
    when: When | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready. Somebody new has the empty name."""
        found = asdict(self)
        for one in (*found["symbols"], *found["change_types"], *found["authors"]):
            one["share"] = round(one["share"], 6)
        for one in found["change_types"]:
            one["probability"] = one["share"]
        if self.when:
            found["when"] |= {name: round(found["when"][name]) for name in ("low", "middle", "high")}
        for one in found["authors"]:
            one["new"] = one["name"] == authors.NEW
        return found

    def in_words(self) -> list[str]:
        """Lines for people."""
        lines = ["symbols"] if self.symbols else []
        for symbol in self.symbols:
            first, last = symbol.lines
            lines.append(f"  {symbol.share:4.0%}  {symbol.kind} {symbol.name} in {symbol.path}:{first}-{last}")
            lines += [f"        {symbol.reason}"] * bool(symbol.reason)
        for title, ranked in (("change types", self.change_types), ("authors", self.authors)):
            lines += [title] if ranked else []
            for one in ranked:
                lines += [f"  {one.share:4.0%}  {one.name or 'somebody new'}", f"        {one.reason}"]
        return [*lines, _when_in_words(self.when)] if self.when else lines


def facts_of(
    snapshot: Snapshot,
    task: str,
    ranking: FileRanking,
    parsed: Mapping[str, Sequence[Symbol]],
    counts: change_types.Counts,
    top: int,
) -> Facts:
    """The best `top` of each kind, from the files of a ranking, what is `parsed` of them, and past change types."""
    query = Query(task)
    if not query.title:
        return Facts(when=snapshot.when)
    files = {file.name: file.share for file in ranking.files if not file.new}
    similar = Similar.to(snapshot, words(query.title))
    return Facts(
        symbols.rank(query, files, parsed, top=top),
        change_types.rank(snapshot, query.title, similar, files, counts, top=top),
        authors.rank(snapshot, query.title, similar, files, top=top),
        snapshot.when,
    )


def _when_in_words(when: When) -> str:
    held = "" if when.coverage is None else f"; such a range held {when.coverage:.0%} of the time"
    middle = f"half of them within {_duration(when.middle)}"
    return f"when: {_duration(when.low)} to {_duration(when.high)} after the last commit, {middle}{held}"


def _duration(seconds: float) -> str:
    name, size = next(((name, size) for name, size in _UNITS if seconds >= size), _UNITS[-1])
    count = round(seconds / size)
    return f"{count:,} {name}{'s' * (count != 1)}"
