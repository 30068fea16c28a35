"""Ids turned into text as they are written: a character appears when its last byte is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.text.vocabulary import Vocabulary


def recorded(ids: Iterable[int], written: list[int]) -> Iterator[int]:
    """The ids as they come; each is also added to `written`."""
    for id_ in ids:
        written.append(id_)
        yield id_


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
