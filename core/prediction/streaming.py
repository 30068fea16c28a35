"""Ids turned into text as they are written: a character appears when its last byte is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from core.text.grammar import AFTER, CHANGES, CODE_END, CODE_START, FILE_START, SYMBOL, Marker

if TYPE_CHECKING:
    from core.text.vocabulary import Vocabulary


def recorded(ids: Iterable[int], written: list[int]) -> Iterator[int]:
    """The ids as they come; each is also added to `written`."""
    for id_ in ids:
        written.append(id_)
        yield id_


def shown(ids: Iterable[int], vocabulary: Vocabulary) -> Iterator[str]:
    """The text of a commit as people read it, piece by piece."""
    return spelled_for_people(pieces_of(ids, vocabulary))


def pieces_of(ids: Iterable[int], vocabulary: Vocabulary) -> Iterator[str]:
    """Markers, and text in the smallest complete pieces."""
    from tokenizers.decoders import DecodeStream

    own = set(vocabulary.own_ids)
    decoder = DecodeStream(skip_special_tokens=False)
    for id_ in ids:
        if id_ in own:
            yield from vocabulary.pieces([id_])
            decoder = DecodeStream(skip_special_tokens=False)
        elif text := decoder.step(vocabulary.tokenizer, id_):
            yield text


def spelled_for_people(pieces: Iterable[str]) -> Iterator[str]:
    """Text of a commit as it is written, piece by piece: a line for each file and change, then its code."""
    place: Marker | None = None
    for piece in pieces:
        if type(piece) is Marker:
            place = piece
            if piece == FILE_START:
                yield "\n--- "
            elif piece in CHANGES.values():
                yield f"\n[{piece[len('<CHANGE:') : -1]}] "
            elif piece == SYMBOL:
                yield "in "
            elif piece in (CODE_START, AFTER) or piece == CODE_END:
                yield "\n"
        elif place in (FILE_START, SYMBOL, CODE_START, AFTER):
            yield piece
