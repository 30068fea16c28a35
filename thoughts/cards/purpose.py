"""What code does, in the repository's own words: docstrings, comments, documents that name it, what it defines."""

from __future__ import annotations

import re
from pathlib import Path

from chat import places
from chat.citations import Citations
from chat.history import own_name
from chat.statements import Statement
from core.code.languages import file_kind
from core.code.test_files import is_test_file
from core.errors import GitloreError
from core.git import touched
from core.ranking.paths import kinds_of
from index.hits import Hit
from index.texts import Symbol
from thoughts.cards.source import Source

MOST_DEFINED = 4
"""Symbols of a file that are named."""
MOST_QUOTED = 3
"""Of them, whose docstrings are quoted where the file has none."""
SHORTEST = 5
"""Characters of a name that is looked for in documents."""
MOST_SENTENCE = 300
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\[])")
_MARKS = re.compile(r"^[\s>*#+-]+|^\d+\.\s+")


def of_symbol(source: Source, symbol: Symbol, citations: Citations, commit: str) -> list[Statement]:
    """Its signature with the first sentence of its docstring."""
    hit = Hit(source.path, symbol.first, symbol.last, "", symbol.name, symbol.kind, symbol.doc)
    lines = source.lines
    last = min(symbol.last, len(lines))
    end = places.end_of_signature(lines, hit)
    doc = places.sentence_of(symbol.doc)
    if doc and (end_of_doc := places.end_of_doc(lines, symbol.first, last, symbol.doc)):
        end = max(end, end_of_doc)
    else:
        doc = ""
    head = source.signature(symbol) or symbol.name
    cited = citations.cite(source.path, symbol.first, min(end, last), commit)
    return [Statement(f"`{head}`: {doc}" if doc else f"`{head}`", (cited,))] if cited else []


def of_file(source: Source, citations: Citations, commit: str) -> list[Statement]:
    """What it says of itself at its top, and what it defines."""
    found = []
    if opening := source.opening:
        cited = citations.cite(source.path, opening.first, opening.last, commit)
        found += [Statement(f"{source.path}: {opening.sentence}", (cited,))] if cited else []
    shown = source.roots[:MOST_DEFINED]
    cites = [citations.cite(source.path, one.first, min(one.last, one.first + 2), commit) for one in shown]
    if cites:
        names = ", ".join(f"`{one.name}` ({one.kind})" for one in shown)
        more = f" and {len(source.roots) - len(shown):,} more" if len(source.roots) > len(shown) else ""
        found.append(Statement(f"It defines {names}{more}.", tuple(one for one in cites if one)))
    if not source.opening:
        documented = [one for one in source.roots if places.sentence_of(one.doc)][:MOST_QUOTED]
        found += [said for one in documented for said in of_symbol(source, one, citations, commit)]
    return found


def in_documents(
    git_dir: Path, commit: str, citations: Citations, path: str, name: str, timeout_s: float
) -> list[Statement]:
    """The first sentence of a document that names a symbol or, without a name, a file."""
    wanted = own_name(name) if name else path
    if len(wanted) < SHORTEST:
        return []
    pattern = rf"(^|[^[:alnum:]_/.]){re.escape(wanted)}($|[^[:alnum:]_/])"
    try:
        lines = touched.matching_lines(git_dir, commit, pattern, timeout_s=timeout_s)
    except GitloreError:  # a docstring is better anyway, and what it does can be read
        return []
    readable = [(one, line) for one, line in lines if file_kind(one) == "documentation" and _may_explain(one)]
    for document, line in sorted(readable, key=lambda pair: (pair[0].count("/"), not _is_readme(pair[0]))):
        cited = citations.cite(document, line, line, commit)
        sentence = _sentence_with(cited.quote, wanted) if cited else ""
        if cited and sentence:
            return [Statement(f"{document} says of it: “{sentence}”", (cited,))]
    return []


def _may_explain(path: str) -> bool:
    """Whether a document may explain code: no changelog, no fixture of a test."""
    return not kinds_of(path)[1] and not is_test_file(path)


def _is_readme(path: str) -> bool:
    return path.rpartition("/")[2].lower().startswith("readme")


def _sentence_with(line: str, wanted: str) -> str:
    """The sentence of a line that names something, "" where it is too short to say anything."""
    text = _MARKS.sub("", " ".join(line.split()))
    found = next((one for one in _SENTENCE_END.split(text) if wanted in one), "")
    return found if len(found.split()) > 4 and len(found) <= MOST_SENTENCE else ""
