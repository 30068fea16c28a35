"""What a language model says that code does: shown only if every sentence of it holds against code.

The repository's own words stay below it. A comment may hold anything, instructions to the model as well, so that
neither what the model reads nor what its sentences are held against has any but the first sentence of a docstring.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chat import claims, places
from chat.citations import Citation, Citations
from chat.providers import MOST_LINES, Provider
from chat.statements import Statement
from core.errors import StageError
from index.texts import Symbol
from thoughts.cards.card import WHAT, Card
from thoughts.cards.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_SENTENCES = 3
MOST_STRING = 3
"""Words of a text in code that is no sentence."""
MOST_TEXT_BYTES = 10_000
"""Of a comment or text; what is larger is code that could not be parsed."""


@dataclass(frozen=True)
class Written:
    """A statement that holds, or why there is none, and how long the model took."""

    statement: Statement | None
    note: str
    seconds: float


def written(provider: Provider, citations: Citations, card: Card, source: Source, symbol: Symbol | None) -> Written:
    """What the language model says that a symbol or file does."""
    subject = f"`{symbol.name}`" if symbol else source.path
    question = f"What does {subject} do?"
    model, began = provider.config.model, time.monotonic()
    cited = _excerpts(citations, card, source, symbol)
    shown = [replace(one, quote=without_prose(source, one, _doc_end(source, symbol))) for one in cited]
    try:
        text = provider.write(f"{question} Say it in one or two sentences.", shown)
    except StageError as error:
        return Written(None, f"{model} was not heard: {error.message}.", time.monotonic() - began)
    seconds = time.monotonic() - began
    found = claims.statements(text, shown, question)
    wrong = sum(not one.supported for one in found)
    if wrong or not 0 < len(found) <= MOST_SENTENCES:
        what = f"{wrong} of its {len(found)} sentences do not hold" if wrong else "not in a sentence or two"
        return Written(None, f"{model} said what it does, but {what}: that is not shown.", seconds)
    back = dict(zip(shown, cited, strict=True))
    sources = dict.fromkeys(back[one] for said in found for one in said.citations)
    return Written(Statement(" ".join(one.text for one in found), tuple(sources)), "", seconds)


def _excerpts(citations: Citations, card: Card, source: Source, symbol: Symbol | None) -> list[Citation]:
    """The code of a symbol, or the heads of what a file defines."""
    if symbol:
        last = min(symbol.last, symbol.first + MOST_LINES - 1, len(source.lines))
        found = [citations.cite(source.path, symbol.first, last, card.at)]
    else:
        found = [citation for said in card.of(WHAT) for citation in said.citations if citation.path == source.path]
    return list(dict.fromkeys(one for one in found if one))


def _doc_end(source: Source, symbol: Symbol | None) -> int:
    """The last line of the docstring's first sentence, 0 for none."""
    if symbol:
        return places.end_of_doc(source.lines, symbol.first, symbol.last, symbol.doc) if symbol.doc else 0
    return source.opening.last if source.opening else 0


def without_prose(source: Source, cited: Citation, doc_end: int) -> str:
    """The cited lines with blanks for comments and sentences; of the lines up to `doc_end`, which are kept."""
    lines = cited.quote.split("\n")
    if source.outline is None or source.outline.tree is None:
        return cited.quote
    data = bytearray(source.data)
    starts = [0, *(found.end() for found in re.finditer(rb"\n", source.data))]
    first = starts[min(max(cited.first - 1, doc_end), len(starts) - 1)]
    end = starts[cited.last] if cited.last < len(starts) else len(data)
    nodes: list[Node] = [source.outline.tree.root_node]
    while nodes:
        node = nodes.pop()
        if node.end_byte <= first or node.start_byte >= end:
            continue
        if _is_prose(node):
            for at in range(max(node.start_byte, first), min(node.end_byte, end)):
                if data[at] != ord("\n"):
                    data[at] = ord(" ")
        else:
            nodes += node.children
    kept = bytes(data[starts[cited.first - 1] : end]).decode("utf-8", "replace").split("\n")
    return "\n".join(line.rstrip() for line in kept[: len(lines)])


def _is_prose(node: Node) -> bool:
    if node.end_byte - node.start_byte > MOST_TEXT_BYTES:
        return False
    if "comment" in node.type:
        return True
    is_text = "string" in node.type and bool(node.text)
    return is_text and len((node.text or b"").split()) > MOST_STRING
