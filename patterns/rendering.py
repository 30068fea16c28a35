"""Patterns as text: a table, what a search found, one with all that speaks for it, figures."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.records.patterns import Pattern, Template
from core.visible import visible
from patterns.pattern_index import stands, subject
from patterns.search import FLOOR, NOTHING, Answer, Convention, Similar, Votes

MOST_LINES = 30
"""Of a diff."""
_CONTEXT = 2


def patterns_table(patterns: Iterable[Pattern]) -> Table:
    """A row for each pattern."""
    table = Table(box=SIMPLE_HEAD, header_style="dim")
    for name in ("id", "what", "when", "where", "message", "test", "stands"):
        table.add_column(name, overflow="fold")
    for one in patterns:
        place = f"{one.file_path} {one.symbol}".strip()
        cells = (one.pattern_id, one.problem_type, one.date[:10], place, subject(one))
        table.add_row(*map(visible, cells), "yes" if one.with_test else "", "yes" if stands(one) else "")
    return table


def answer_lines(answer: Answer) -> Iterator[str]:
    """Conventions first, then similar changes; or that nothing applies, and why."""
    for convention in answer.conventions:
        yield from convention_lines(convention)
    if answer.similar:
        yield "similar changes, as what was done there:"
    for number, one in enumerate(answer.similar, start=1):
        yield from similar_lines(number, one)
    if not (answer.conventions or answer.similar):
        yield f"{NOTHING}: the best match is {answer.best_match:.2f}, below {FLOOR}"


def convention_lines(convention: Convention) -> Iterator[str]:
    """A line, and what lines like it have become."""
    line, becomes, template = convention
    authors = "one author" if template.authors == 1 else f"{template.authors:,} authors"
    yield f"convention for {line.path}:{line.number}: {template.steps:,} commits by {authors}"
    yield f"  - {line.text}"
    yield f"  + {becomes}"
    yield f"  {track_record(template)}; last in {template.last_seen[:9]}, {template.last_seen_at[:10]}"


def track_record(template: Template) -> str:
    """How often it was right so far."""
    if not template.fired:
        return "never offered before"
    return f"right in {template.right} of {template.fired} times that it would have been offered"


def similar_lines(number: int, one: Similar) -> Iterator[str]:
    """A past change: where it was, what it did, and what became of it."""
    pattern = one.pattern
    yield f"[{number}] {pattern.pattern_id} match {one.match:.2f}: {subject(pattern)}"
    place = f"{pattern.file_path} {pattern.symbol}".rstrip()
    yield f"    {pattern.commit[:9]} {pattern.date[:10]} {pattern.author}, {place}"
    yield f"    {'; '.join(facts(pattern, one.votes))}"
    yield from (f"    {line}" for line in diff_lines(pattern))


def facts(pattern: Pattern, votes: tuple[int, int] = (0, 0)) -> Iterator[str]:
    """What speaks for a change, and against it."""
    yield "with a test" if pattern.with_test else "without a test"
    if survival := pattern.survival:
        if survival.taken_back:
            yield f"taken back by {survival.ended_by[:9]} after {survival.days:,.0f} days"
        elif survival.ended_by:
            yield f"replaced by {survival.ended_by[:9]} after {survival.days:,.0f} days"
        else:
            yield f"{survival.alive:,} of {survival.lines:,} lines stand after {survival.days:,.0f} days"
    if any(votes):
        yield f"votes: {votes[0]:,} up, {votes[1]:,} down"
    if len(pattern.evidence) > 1:
        yield f"made {len(pattern.evidence):,} times"
    if pattern.template_id:
        yield f"follows template {pattern.template_id}"


def why_lines(pattern: Pattern, votes: tuple[int, int], plain: Sequence[str]) -> Iterator[str]:
    """One pattern with all that is known of it, and the plain code that is nearest to it."""
    yield f"{pattern.pattern_id} {pattern.problem_type}: {subject(pattern)}"
    yield "; ".join(facts(pattern, votes))
    yield f"confidence {pattern.confidence:.2f}: the probability that most of it stands there a year from now"
    if pattern.closes:
        yield f"closes {', '.join(pattern.closes)}"
    if pattern.test_files:
        yield f"tests: {', '.join(pattern.test_files)}"
    if pattern.masked:
        yield "masked: " + ", ".join(f"{count:,} {kind}" for kind, count in pattern.masked.items())
    yield "made in:"
    for one in pattern.evidence:
        first, last = one.new_lines or (0, 0)
        yield f"  {one.commit[:9]} {one.path}" + (f":{first}-{last}" if first else "")
    yield from diff_lines(pattern)
    if plain:
        yield "plain code that is nearest to it:"
        yield from (f"  {place}" for place in plain)


def diff_lines(pattern: Pattern) -> list[str]:
    """The change as a diff, at most so many lines."""
    sides = pattern.before_code.split("\n"), pattern.after_code.split("\n")
    rows = [row for row in difflib.unified_diff(*sides, lineterm="", n=_CONTEXT) if row[:3] not in ("---", "+++")]
    return rows if len(rows) <= MOST_LINES else [*rows[:MOST_LINES], f"… {len(rows) - MOST_LINES:,} more lines"]


def answer_record(answer: Answer) -> dict[str, Any]:
    """The same for programs."""
    return {
        "conventions": [
            {
                "path": one.line.path,
                "line": one.line.number,
                "text": one.line.text,
                "becomes": one.becomes,
                "template": msgspec.to_builtins(one.template),
            }
            for one in answer.conventions
        ],
        "similar": [
            {
                "match": one.match,
                "up": one.votes[0],
                "down": one.votes[1],
                "diff": diff_lines(one.pattern),
                "pattern": msgspec.to_builtins(one.pattern),
            }
            for one in answer.similar
        ],
        "best_match": answer.best_match,
        "floor": FLOOR,
        "reason": "" if answer.conventions or answer.similar else NOTHING,
    }


def figures(patterns: Iterable[Pattern], templates: Iterable[Template], votes: Votes) -> dict[str, int]:
    """How many there are of what."""
    found: Counter[str] = Counter(dict.fromkeys(("patterns", "templates"), 0))
    for one in patterns:
        found["patterns"] += 1
        found[one.problem_type] += 1
        found["with a test"] += one.with_test
        found["standing"] += stands(one)
        found["taken back"] += one.survival is not None and one.survival.taken_back
        found["made more than once"] += len(one.evidence) > 1
        found["with votes"] += any(votes.get(one.pattern_id, (0, 0)))
    for template in templates:
        found["templates"] += 1
        found[f"templates {template.retired or 'offered'}"] += 1
    return dict(found)


def figures_table(found: Mapping[str, int]) -> Table:
    """A row for each figure."""
    table = Table(box=SIMPLE_HEAD, show_header=False)
    table.add_column("")
    table.add_column("", justify="right")
    for name, count in found.items():
        table.add_row(name.replace("_", " "), f"{count:,}")
    return table
