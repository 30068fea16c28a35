"""What the two sides of a change are in: by their own bytes, by .gitattributes, by each other, by their folder."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import NamedTuple

from core.git.attributes import Attributes
from core.git.blobs import BlobReader
from core.git.encodings import (
    DOUBT,
    Encoding,
    agreed,
    declared_as,
    evidence_in,
    if_sure,
    is_binary,
    is_utf8,
    unless_latin_1,
    voted,
    wide_encoding_of,
)
from core.git.trees import entries_of

_FOLDER_FILES = 50
"""Files of a folder that may settle a doubt: the first ones with the same ending."""
_FOLDER_FILE_BYTES = 1 << 16
_KNOWN_BLOBS, _BLOBS_AT_ONCE = 4096, 4


class Alone(NamedTuple):
    """What a version says itself."""

    encoding: Encoding | None
    is_sure: bool
    """It is in UTF-8, or declares what else it is in."""


NOT_THERE = Alone(None, is_sure=True)


class Side(NamedTuple):
    """A version of a file."""

    commit: str
    path: str
    blob: str
    alone: Alone


def alone(data: bytes, least_confidence: float) -> Alone:
    """What the bytes of a version say."""
    if (wide := wide_encoding_of(data)) or is_utf8(data):
        return Alone(wide, is_sure=True)
    evidence = evidence_in(data)
    found = if_sure(evidence, data, least_confidence)
    return Alone(found, is_sure=evidence is not None and not evidence.is_guessed)


class Encodings:
    """Settles what versions are in. The same commits give the same, whatever was asked before."""

    def __init__(self, blobs: BlobReader, max_file_bytes: int, least_confidence: float) -> None:
        self._blobs, self._max_file_bytes, self._least = blobs, max_file_bytes, least_confidence
        self.read = functools.lru_cache(maxsize=_BLOBS_AT_ONCE)(self._read)
        """A version as it is in the repository; nothing where it is too large."""
        self._attributes = Attributes(blobs)
        self._evidence = functools.lru_cache(maxsize=_KNOWN_BLOBS)(self._evidence_in)

    def _read(self, blob: str) -> bytes:
        return self._blobs.read(blob, self._max_file_bytes) or b""

    def settled(self, old: Side | None, new: Side | None) -> tuple[Encoding | None, Encoding | None]:
        """The encodings of both sides; None for UTF-8 and Latin-1, and for one that is not there."""
        sides = [side for side in (old, new) if side]
        if not all(side.alone.is_sure or self.read(side.blob) for side in sides):  # too large to be looked at again
            return old.alone.encoding if old else None, new.alone.encoding if new else None
        found = [self._declared(side) or side.alone.encoding for side in sides]
        if len(sides) == 2 and not _are_alike(sides, found):
            before, after = map(self._comparable, sides)
            found = list(agreed(before, after, found[0], found[1]))
        doubtful = [place for place, side in enumerate(sides) if _is_in_doubt(side, found[place])]
        if doubtful:
            votes = self._votes([sides[place] for place in doubtful], sides[-1])
            for place, vote in zip(doubtful, votes, strict=False):
                found[place] = vote
        found = [None if one and one.name == "iso8859-1" else one for one in found]
        return (found[0] if old else None), (found[-1] if new else None)

    def _declared(self, side: Side) -> Encoding | None:
        if side.alone.is_sure:
            return None
        name = self._attributes.encoding(side.commit, side.path)
        return declared_as(name, self.read(side.blob)) if name else None

    def _comparable(self, side: Side) -> bytes:
        """The version, in UTF-8 if it has bytes of its own for ASCII."""
        data, encoding = self.read(side.blob), side.alone.encoding
        return encoding.to_utf8(data) if encoding and encoding.is_wide else data

    def _votes(self, doubtful: Sequence[Side], newest: Side) -> list[Encoding | None]:
        """What the folder says of versions in doubt; nothing unless it says the same of all."""
        others = self._folder(newest.commit, newest.path)
        texts = [self.read(side.blob) for side in doubtful]
        own = [self._evidence(side.blob) for side in doubtful]
        votes = [voted(text, one, others) for text, one in zip(texts, own, strict=True)]
        if len({vote and vote.name for vote in votes}) > 1 or all(map(operator.is_, votes, own)):
            return []
        return [unless_latin_1(vote, text) for vote, text in zip(votes, texts, strict=True)]

    def _folder(self, commit: str, path: str) -> list[Encoding]:
        """What its other files with the same ending seem to be in."""
        folder, _, own = path.rpartition("/")
        ending = own.rpartition(".")[2] if "." in own else ""
        names = {
            name: blob
            for mode, name, blob in entries_of(self._blobs.read_tree(f"{commit}:{folder}") or b"", len(commit) // 2)
            if mode.startswith("100") and name != own and name.endswith(f".{ending}" if ending else name)
        }
        found = map(self._evidence, list(names.values())[:_FOLDER_FILES])
        return [one for one in found if one and one.confidence >= self._least]

    def _evidence_in(self, blob: str) -> Encoding | None:
        data = self._blobs.read(blob, _FOLDER_FILE_BYTES)
        return None if data is None or is_binary(data) else evidence_in(data)


def _are_alike(sides: Sequence[Side], found: Sequence[Encoding | None]) -> bool:
    """True where two sides have nothing to say of each other."""
    names = [one.name if one else "" for one in found]
    return names[0] == names[1] and (bool(names[0]) or sides[0].alone.is_sure == sides[1].alone.is_sure)


def _is_in_doubt(side: Side, found: Encoding | None) -> bool:
    return not side.alone.is_sure and (found is None or found.confidence < DOUBT)
