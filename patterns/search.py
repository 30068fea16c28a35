"""What past changes have to say to somebody who is about to make one: conventions that apply, and similar changes.

A similar change is shown as what was done there, never as the code to write: the nearest past fix is further from the
right code than the code as it is (benchmarks/pattern_benefit.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from core.code.languages import language_of
from core.records.patterns import Pattern, Template
from patterns.offers import Offers
from patterns.pattern_index import PatternIndex
from patterns.questions import Line, Question
from stores.agent.beliefs import lower_bound

MOST_SIMILAR = 5
FLOOR = 0.3
"""Of the score that a pattern with every term of the question would have. Of questions whose best match was below, one
in twelve got a name that it needed; above, one in six; from five changes at random, one in twenty-five."""
NEAR = 0.8
"""Of the best one's score: of patterns that fit so well, votes decide which comes first."""
Votes = Mapping[str, tuple[int, int]]
"""(up, down) by pattern_id."""
NOTHING = "nothing applies"


class Convention(NamedTuple):
    """A line that templates would change, and the exact line that it would become."""

    line: Line
    becomes: str
    template: Template


class Similar(NamedTuple):
    """A past change like the one to make."""

    pattern: Pattern
    match: float
    """0 to 1: of the score that a pattern with every term of the question would have."""
    votes: tuple[int, int]
    """(up, down)."""


class Answer(NamedTuple):
    """What applies; both lists may be empty."""

    conventions: list[Convention]
    similar: list[Similar]
    best_match: float
    """Of the best pattern, also where that is below the floor."""


class Conventions:
    """Templates that are not retired, as they are offered."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self._offers = Offers()
        self._templates: dict[tuple[str, tuple[str, ...]], Template] = {}
        for template in templates:
            if not template.retired:
                before = tuple(template.before.split(" "))
                self._offers.put(template.language, before, template.after, template.paths)
                self._templates[template.language, before] = template

    def of(self, lines: Iterable[Line]) -> list[Convention]:
        """The lines that one of them applies to, in order, with the indentation that they have."""
        found = []
        for line in lines:
            language, text = language_of(line.path), line.text.strip()
            if offer := self._offers.find(language, line.path, text):
                indent = line.text[: len(line.text) - len(line.text.lstrip())]
                found.append(Convention(line, indent + offer.line, self._templates[language, offer.before]))
        return found


def search(
    question: Question,
    index: PatternIndex,
    conventions: Conventions,
    votes: Votes | None = None,
    asked: int = 0,
    floor: float = FLOOR,
) -> Answer:
    """What applies to a question; `asked` are facts (`pattern_index`) that similar changes must have."""
    scores, best_possible = index.scores(question.terms())
    matches = (scores / best_possible).clip(max=1.0) if best_possible else scores
    matches = np.where(index.facts & asked == asked, matches, 0.0)
    best = np.argsort(-matches, kind="stable")[: 4 * MOST_SIMILAR].tolist()
    rows = [row for row in best if matches[row] > 0 and matches[row] >= floor]
    known = votes or {}
    found = [
        Similar(pattern, round(float(matches[row]), 3), known.get(pattern.pattern_id, (0, 0)))
        for row, pattern in zip(rows, index.patterns(rows), strict=True)
    ]
    best_match = round(float(matches.max(initial=0.0)), 3)
    found.sort(key=lambda one: _order(one, NEAR * best_match))
    return Answer(conventions.of(question.lines()), found[:MOST_SIMILAR], best_match)


def _order(one: Similar, near: float) -> tuple[float, float]:
    """Those near to the best first, by their votes; then the others; each by their match."""
    up, down = one.votes
    return -lower_bound(1 + up, 1 + down) if one.match >= near else 0.0, -one.match
