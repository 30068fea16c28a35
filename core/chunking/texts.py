"""A chunk's code and patch as text: each side by its own encoding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from core.chunking.outline import Outline
from core.git.encodings import is_utf8


class Texts(NamedTuple):
    """What a chunk holds of a file, and what it was decoded from."""

    old_code: str
    new_code: str
    patch: str
    encoding: str
    old_encoding: str | UnsetType
    """Set where it differs."""
    is_guessed: bool


def decode(old_code: bytes, new_code: bytes, patch: bytes, old: Outline, new: Outline) -> Texts:
    """The texts of a chunk, given the versions that it is of.

    A patch has its removed lines from the old side and all others from the new one. Sides are in
    UTF-8 by now where their encoding is known, else as they are in the repository: in UTF-8 too,
    or read as Latin-1. One that is all ASCII takes the other's encoding, if that has ASCII in it.
    """
    if old.encoding is new.encoding is None:
        try:
            return Texts(old_code.decode(), new_code.decode(), patch.decode(), "utf-8", UNSET, is_guessed=False)
        except UnicodeDecodeError:
            pass  # not everywhere UTF-8: by side
    lines = list(_lines(patch))
    of_old = old_code + b"".join(line for line in lines if _is_old(line))
    of_new = new_code + b"".join(line for line in lines if not _is_old(line))
    codecs = ["utf-8" if is_utf8(side) else "latin-1" for side in (of_old, of_new)]
    text = "".join(line.decode(codecs[0 if _is_old(line) else 1]) for line in lines)
    names = [side.encoding.name if side.encoding else codec for side, codec in zip((old, new), codecs, strict=True)]
    if _takes_the_other(of_new, new, old):
        names[1] = "utf-8" if of_old.isascii() and not _is_wide(old) else names[0]
    if _takes_the_other(of_old, old, new):
        names[0] = names[1]
    return Texts(
        old_code.decode(codecs[0]),
        new_code.decode(codecs[1]),
        text,
        names[1],
        names[0] if names[0] != names[1] else UNSET,
        is_guessed=_is_guessed(of_old, old) or _is_guessed(of_new, new),
    )


def in_utf8(patch: bytes, old: Outline, new: Outline) -> bytes:
    """git's own patch with the lines of each version as the version has them."""
    if old.encoding is new.encoding is None:
        return patch
    made = []
    for line in _lines(patch):
        encoding = (old if _is_old(line) else new).encoding
        # git cuts what it shows behind a hunk's numbers, maybe within a letter.
        made.append(encoding.patch_to_utf8(line, "ignore" if line[:1] == b"@" else "strict") if encoding else line)
    return b"".join(made)


def _lines(patch: bytes) -> Iterator[bytes]:
    """With their ends; only a line feed is one."""
    *lines, last = patch.split(b"\n")
    yield from (line + b"\n" for line in lines)
    if last:
        yield last


def _is_old(line: bytes) -> bool:
    """True for removed lines, and for what git shows of the old side behind a hunk's numbers."""
    return line.startswith((b"-", b"@"))


def _takes_the_other(text: bytes, side: Outline, other: Outline) -> bool:
    """True where nothing on a side shows an encoding: it is not there, or it is ASCII in both."""
    return not side.source or (text.isascii() and not _is_wide(side) and not _is_wide(other))


def _is_wide(side: Outline) -> bool:
    return side.encoding is not None and side.encoding.is_wide


def _is_guessed(text: bytes, side: Outline) -> bool:
    return side.encoding is not None and side.encoding.is_guessed and (_is_wide(side) or not text.isascii())
