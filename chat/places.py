"""Statements about places in code: what a symbol is by its own docstring, and the lines that a question is about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from chat.citations import Citation, Citations
from chat.questions import Asked
from chat.statements import Statement
from core.ranking.terms import stem, words
from index import synonyms
from index.hits import FILE, Hit

SIGNATURE_LINES = 8
HEAD_LINES = 25
"""Of a symbol, among which its signature and its docstring are."""
SPAN_LINES = 10
WHOLE_LINES = 14
"""A symbol of so many lines is cited as a whole."""
LEAST_WORDS = 2
"""Of a question, that a place must hold to be an answer."""
MOST_SEARCHED = 3000
"""Lines of a symbol or file among which the best ones are looked for."""


def described(citations: Citations, commit: str, asked: Asked, hit: Hit, *, terse: bool = False) -> Statement | None:
    """What and where a hit is, its docstring's first sentence, and the lines of it that are most about a question;
    where it is to be `terse`, these lines alone.
    """
    lines = citations.lines(hit.path, commit)
    last = min(hit.last, len(lines))
    if not 1 <= hit.first <= last:
        return None
    wanted = {one for word in asked.words for one in (word, *map(stem, synonyms.others(word)))}
    if hit.kind == FILE:
        first, end = best_lines(lines, 1, last, wanted)
        span = citations.cite(hit.path, first, end, commit)
        title = title_of(lines, first)
        return Statement(f"{hit.path}{f': {title}' if title else ''}", (span,)) if span else None
    doc, doc_end = "", hit.first
    if hit.doc:
        doc_end = end_of_doc(lines, hit.first, last, hit.doc)
        doc = hit.doc if doc_end else ""
    if terse:
        one = citations.cite(hit.path, *best_lines(lines, hit.first, last, wanted), commit)
        sources: tuple[Citation, ...] = (one,) if one else ()
    else:
        sources = _sources(citations, commit, hit, lines, max(doc_end, hit.first), last, wanted)
    text = f"`{hit.symbol}` in {hit.path}{f': {said}' if (said := sentence_of(doc)) else ''}"
    return Statement(text, sources) if sources else None


def sentence_of(doc: str) -> str:
    """A docstring's first sentence without tags such as @return; "" where that is no sentence, as of "REQUIRES:"."""
    text = re.split(r"(?:^|\s)@\w", doc, maxsplit=1)[0].strip()
    return text if len(text.split()) > 1 else ""


def _sources(
    citations: Citations,
    commit: str,
    hit: Hit,
    lines: Sequence[str],
    head: int,
    last: int,
    wanted: Collection[str],
) -> tuple[Citation, ...]:
    """The whole of a short symbol; of a longer one its head and its best lines."""
    if last - hit.first < WHOLE_LINES:
        spans = [(hit.first, last)]
    else:
        first, end = best_lines(lines, hit.first, last, wanted)
        spans = [(hit.first, max(head, end_of_signature(lines, hit)))]
        spans = [(hit.first, max(end, spans[0][1]))] if first <= spans[0][1] + 1 else [*spans, (first, end)]
    found = (citations.cite(hit.path, first, end, commit) for first, end in spans)
    return tuple(one for one in found if one)


def end_of_signature(lines: Sequence[str], hit: Hit) -> int:
    """The line on which a symbol's signature ends, behind decorators and comments."""
    name = re.split(r"\.|::", hit.symbol)[-1]
    end = min(hit.last, hit.first + HEAD_LINES, len(lines))
    for line in range(hit.first, end + 1):
        if name in lines[line - 1] and not re.match(r"\s*(?:#|//|/\*|\*|@|--)", lines[line - 1]):
            behind = range(line, min(end, line + SIGNATURE_LINES) + 1)
            return next((one for one in behind if lines[one - 1].rstrip().endswith((":", "{", "=>", ";"))), line)
    return hit.first


def end_of_doc(lines: Sequence[str], first: int, last: int, doc: str) -> int:
    """The line on which a docstring's first sentence ends, 0 where the first lines do not have it."""
    wanted, text = "".join(re.findall(r"\w+", doc)), ""
    for line in range(first, min(last, first + HEAD_LINES) + 1):
        text += "".join(re.findall(r"\w+", lines[line - 1]))
        if wanted in text:
            return line
    return 0


def best_lines(lines: Sequence[str], first: int, last: int, wanted: Collection[str]) -> tuple[int, int]:
    """First and last of at most SPAN_LINES lines within some that hold most of the wanted stems, the rarest first."""
    last = min(last, first + MOST_SEARCHED - 1)
    held = [set(words(line)) & set(wanted) for line in lines[first - 1 : last]]
    counts = Counter(stem for some in held for stem in some)
    weights = {stem: 1 / (1 + count) ** 0.5 for stem, count in counts.items()}
    best, best_score = 0, -1.0
    for place in range(max(1, len(held) - SPAN_LINES + 1)):
        window = held[place : place + SPAN_LINES]
        stems = set().union(*window)
        score = sum(weights[stem] for stem in stems) + 0.1 * sum(weights[stem] for some in window for stem in some)
        if score > best_score + 1e-9:
            best, best_score = place, score
    window = held[best : best + SPAN_LINES]
    marked = [place for place, some in enumerate(window) if some] or [0]
    start, end = first + best + marked[0], first + best + marked[-1]
    if end - start < 2:  # a line or two mean little without what is around them
        start, end = max(first, start - 1), min(last, end + 3)
    return _without_blanks(lines, start, end)


def _without_blanks(lines: Sequence[str], first: int, last: int) -> tuple[int, int]:
    while first < last and not lines[first - 1].strip():
        first += 1
    while last > first and not lines[last - 1].strip():
        last -= 1
    return first, last


def title_of(lines: Sequence[str], line: int) -> str:
    """The heading above a line of a document, "" where there is none."""
    for place in range(min(line, len(lines)), max(0, line - 200), -1):
        if found := re.match(r"#{1,6}\s+(.{1,200})", lines[place - 1]):
            return found[1].strip("# ")
    return ""


def held(asked: Asked, citations: Citations, commit: str, hit: Hit) -> set[str]:
    """The stems of a question that a hit has, or has a synonym of: in its name, path, docstring or lines."""
    text = citations.lines(hit.path, commit)[hit.first - 1 : min(hit.last, hit.first + MOST_SEARCHED)]
    own = set(words("\n".join([hit.symbol, hit.path, hit.doc, *text])))
    return {word for word in asked.words if own & {word, *map(stem, synonyms.others(word))}}


def is_about(asked: Asked, citations: Citations, commit: str, hit: Hit) -> bool:
    """Whether a hit holds half of the question's words, and two of them if there are two."""
    wanted, found = set(asked.words), held(asked, citations, commit, hit)
    return 2 * len(found) >= len(wanted) and len(found) >= min(len(wanted), LEAST_WORDS)
