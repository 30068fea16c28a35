"""Cards as Markdown: texts of the repository are shown as they are and mean nothing to a viewer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from chat.citations import SHORT, Citation
from core.visible import visible
from thoughts.cards.card import TITLES, Card

_ACTING = re.compile(r"[<>&\[\]*|~\\`]|(?<![^\W_])_|_(?![^\W_])|\A[#+-]")
_CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def document(cards: Iterable[Card]) -> str:
    """Cards one after the other, with the places that prove each line."""
    return "\n".join("\n".join(_lines(card)) + "\n" for card in cards)


def _lines(card: Card) -> Iterator[str]:
    yield f"# {_code(card.scope)}"
    yield ""
    place = f"lines {card.first:,} to {card.last:,}" if card.name else f"{card.last:,} lines"
    yield f"{card.kind}, {place}, at {card.at[:SHORT]}"
    for group in card.groups:
        yield ""
        yield f"## {TITLES[group.name]}{f' ({group.lead})' if group.lead else ''}"
        yield ""
        for one in group.statements:
            yield f"- {_inert(one.text)} {' '.join(f'[{_plain(found)}]' for found in one.citations)}"
    if card.written_by:
        yield ""
        yield f"The first sentence is by {_inert(card.written_by)}; it was compared with the lines that it cites."
    if card.notes:
        yield ""
    for note in card.notes:
        yield f"{_inert(note)}  "


def _plain(citation: Citation) -> str:
    return _code(str(citation))


def _code(text: str) -> str:
    """A text as code, whatever backticks are in it."""
    text = visible(text).replace("\n", "\\n")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _inert(text: str) -> str:
    """A sentence whose code stays code, and whose other signs mean nothing."""
    text = visible(" ".join(text.split()))
    pieces, last = [], 0
    for found in _CODE.finditer(text):
        pieces += [_escaped(text[last : found.start()]), found[0]]
        last = found.end()
    return "".join([*pieces, _escaped(text[last:])])


def _escaped(text: str) -> str:
    return _ACTING.sub(lambda found: f"\\{found[0]}", text)
