"""Texts in UTF-16 and UTF-32: git takes them for binary, so it is given copies in UTF-8 to compare."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import UNSET

from core.git.blobs import NO_MODE
from core.git.encodings import Encoding, is_binary, wide_encoding_of
from core.history.overlay import Overlay
from core.records.commits import FileDiff

PLAIN = ""
"""The encoding of a text that git reads as it is."""


def encoding_in(content: bytes | None, max_bytes: int) -> str | None:
    """Python's name of UTF-16 or UTF-32, `PLAIN` for other texts.

    None for what is no text, or would take more than `max_bytes` in UTF-8.
    """
    if content is None or not is_binary(content):
        return None if content is None else PLAIN
    found = wide_encoding_of(content)
    return found.name if found and len(found.to_utf8(content)) <= max_bytes else None


def mark(diff: FileDiff, encoding_of: Callable[[str], str | None]) -> bool:
    """Note the encodings of both sides; False, with nothing noted, where the change is binary indeed.

    `encoding_of` is `encoding_in` by blob.
    """
    sides = ((diff.old_mode, diff.old_blob), (diff.new_mode, diff.new_blob))
    if not all(mode == NO_MODE or mode.startswith("100") for mode, _ in sides):
        return False
    old, new = (PLAIN if mode == NO_MODE else encoding_of(blob) for mode, blob in sides)
    if old is None or new is None or old == new == PLAIN:
        return False
    diff.old_wide_encoding, diff.wide_encoding = old or UNSET, new or UNSET
    return True


@contextlib.contextmanager
def copies(
    diffs: Iterable[FileDiff], read: Callable[[str], bytes | None], overlay: Overlay
) -> Iterator[Mapping[str, str]]:
    """Ids of copies in UTF-8 in the overlay, by blob, of what marked changes have in UTF-16 or UTF-32.

    They are gone afterwards.
    """
    made: dict[str, str] = {}
    try:
        for diff in diffs:
            for blob, name in ((diff.old_blob, diff.old_wide_encoding), (diff.new_blob, diff.wide_encoding)):
                if name and blob not in made:
                    made[blob] = overlay.write_blob(Encoding(name, 1.0, is_guessed=False).to_utf8(read(blob) or b""))
        yield made
    finally:
        for copy in made.values():
            overlay.remove(copy)
