"""The two versions of a changed file: read from the repository where a grammar can use them, else from the patch."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core.chunking.edits import Edit, Edits, header_rows
from core.chunking.encodings import NOT_THERE, Alone, Encodings, Side, alone
from core.chunking.outline import Outline
from core.chunking.parsing import outline
from core.code.content import language_in, may_differ
from core.code.languages import LANGUAGES, language_of
from core.git.blobs import BlobReader
from core.git.encodings import Encoding
from core.records.commits import CommitMetadata, FileDiff

NOTHING = Outline()
"""The side of a file that is not there."""
_SYMLINK_MODE = "120000"
_Key = tuple[str, str]
"""Blob and path: what a version of a file is parsed by."""
_Keys = tuple[_Key | None, _Key | None]
"""The old and the new version; None for one that is not there."""


class _Kept(NamedTuple):
    """What is kept of a version."""

    size: int
    outline: Outline | None
    language: str
    alone: Alone
    """It does not hang on the commit; what the outline's encoding is settled to does."""


class Versions:
    """Parsed versions of files; the latest are kept, since one change's new version is the next one's old version.

    Those that a change has replaced go first: only a branch that parted before it still needs them.
    """

    KEEP_BYTES = 48 << 20
    """Memory for versions that are not being looked at."""
    WITH_OUTPUTS = 16
    """Times `max_file_bytes` that a file of which not all is kept may have."""
    NODE_BYTES = 40
    """Of a tree, about."""

    def __init__(self, blobs: BlobReader, max_file_bytes: int, min_encoding_confidence: float) -> None:
        self._blobs, self._max_file_bytes = blobs, max_file_bytes
        self._min_confidence = min_encoding_confidence
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._replaced: OrderedDict[_Key, None] = OrderedDict()
        """Those of them that a change has replaced or removed."""
        self._bytes = 0
        self._encodings = Encodings(blobs, max_file_bytes, min_encoding_confidence)
        self._alone = functools.lru_cache(maxsize=1000)(self._alone_in)

    def fetch(self, diffs: Sequence[tuple[FileDiff, Edits]]) -> None:
        """Read and parse in one batch what these changes need and is not kept."""
        needed: dict[_Key, tuple[_Key | None, Edits]] = {}
        replaced: list[_Key] = []
        for diff, edits in diffs:
            if is_parsed(diff):
                old, new = _keys(diff)
                if old:
                    needed.setdefault(old, (None, edits))
                    replaced.append(old)
                if new:
                    needed.setdefault(new, (old, edits))
        wanted = [key for key in needed if key not in self._kept]
        for key in needed:
            self._replaced.pop(key, None)
            if key in self._kept:
                self._kept.move_to_end(key)
        while self._bytes > self.KEEP_BYTES and len(self._kept) > len(needed) - len(wanted):
            oldest = next(iter(self._replaced or self._kept))
            self._replaced.pop(oldest, None)
            self._bytes -= self._kept.pop(oldest).size
        for key, source in self._sources(wanted):
            old, edits = needed[key]
            own = alone(source or b"", self._min_confidence)
            text = own.encoding.to_utf8(source or b"") if own.encoding else source
            found, language = None, language_in(key[1], text or b"")
            if text is not None:
                before = self._before(old, language, own.encoding)
                found = _parse(text, key[1], language, own.encoding, before, edits.edits)
            nodes = found.tree.root_node.descendant_count if found and found.tree else 0
            self._kept[key] = _Kept(len(source or b"") + nodes * self.NODE_BYTES, found, language, own)
            self._bytes += self._kept[key].size
        self._replaced.update(dict.fromkeys(replaced))

    def _sources(self, keys: Sequence[_Key]) -> Iterator[tuple[_Key, bytes | None]]:
        """What is in some versions; None for what is too large. Of a notebook, most may be outputs."""
        whole: dict[bool, list[_Key]] = {True: [], False: []}
        for key in keys:
            whole[not LANGUAGES[language_of(key[1])].leaves_out].append(key)
        for is_kept, some in whole.items():
            limit = self._max_file_bytes * (1 if is_kept else self.WITH_OUTPUTS)
            yield from zip(some, self._blobs.read_many([blob for blob, _ in some], limit), strict=True)

    def _before(self, old: _Key | None, language: str, encoding: Encoding | None) -> Outline | None:
        """The version before one, where it is of the same language and in the same encoding."""
        before = self._kept[old] if old else None
        is_like = before and before.language == language and _name(before.alone.encoding) == _name(encoding)
        return before.outline if before and is_like else None

    def sides(self, diff: FileDiff, commit: CommitMetadata) -> tuple[Outline, Outline] | None:
        """Before and after; None where a language has no symbols, or a version cannot be read."""
        if not is_parsed(diff):
            return None
        keys = _keys(diff)
        kept = [self._kept[key] if key else _Kept(0, NOTHING, "", NOT_THERE) for key in keys]
        old, new = (one.outline for one in kept)
        if old is None or new is None:
            return None
        encodings = self._settled(diff, commit, kept[0].alone, kept[1].alone)
        for place, (key, one, encoding) in enumerate(zip(keys, kept, encodings, strict=True)):
            if key and _name(encoding) != _name(one.alone.encoding):
                again = _parse(self._text(key, encoding), key[1], one.language, encoding)
                kept[place] = one._replace(outline=again)
            elif key and one.outline is not None:
                one.outline.encoding = encoding
        old, new = (one.outline for one in kept)
        return None if old is None or new is None else (old, new)

    def language(self, diff: FileDiff) -> str:
        """That of the newest side there is."""
        old, new = _keys(diff)
        kept = self._kept.get(new or old or ("", ""))
        return kept[2] if kept else language_of(diff.filename)

    def sides_of_patch(self, diff: FileDiff, commit: CommitMetadata) -> tuple[Outline, Outline]:
        """Before and after as far as the patch shows them: lines without symbols."""
        names = diff.old_wide_encoding, diff.wide_encoding
        if diff.encoding == "utf-8" and not any(names):
            return sides_of_patch(diff)
        # What the scraper has found a file to be in may be too large to be read here.
        own = [
            Alone(Encoding(name, 1.0, is_guessed=False), is_sure=True)
            if name and not self._read(key)
            else self._alone(key)
            for key, name in zip(_keys(diff), names, strict=True)
        ]
        return sides_of_patch(diff, *self._settled(diff, commit, *own))

    def _settled(
        self, diff: FileDiff, commit: CommitMetadata, old: Alone, new: Alone
    ) -> tuple[Encoding | None, Encoding | None]:
        """The encodings of two versions, given those of each alone."""
        if old.is_sure and new.is_sure and (_name(old.encoding) == _name(new.encoding)):
            return old.encoding, new.encoding
        commits = commit.parents[0] if commit.parents else "", commit.hash
        sides = [
            Side(at, key[1], key[0], own) if key else None
            for at, key, own in zip(commits, _keys(diff), (old, new), strict=True)
        ]
        return self._encodings.settled(*sides)

    def _alone_in(self, key: _Key | None) -> Alone:
        return alone(self._read(key), self._min_confidence)

    def _text(self, key: _Key, encoding: Encoding | None) -> bytes:
        """A version in UTF-8, given what it is in."""
        return encoding.to_utf8(self._read(key)) if encoding else self._read(key)

    def _read(self, key: _Key | None) -> bytes:
        return self._encodings.read(key[0]) if key else b""


def _parse(
    source: bytes,
    path: str,
    language: str,
    encoding: Encoding | None,
    before: Outline | None = None,
    edits: Sequence[Edit] = (),
) -> Outline | None:
    """The outline of a text; `encoding` is what it was in before it was in UTF-8."""
    if not LANGUAGES[language].has_symbols:
        return None
    found = outline(source, language, path, before, edits)
    if found is not None:
        found.encoding = encoding
    return found


def _name(encoding: Encoding | None) -> str:
    return encoding.name if encoding else ""


def is_parsed(diff: FileDiff) -> bool:
    """True where the file may have symbols, before and after."""
    paths = (diff.filename, diff.old_filename or diff.filename)
    return _SYMLINK_MODE not in (diff.old_mode, diff.new_mode) and all(
        LANGUAGES[language_of(one)].has_symbols or may_differ(one) for one in paths
    )


def sides_of_patch(
    diff: FileDiff, of_old: Encoding | None = None, of_new: Encoding | None = None
) -> tuple[Outline, Outline]:
    """Before and after as far as the patch shows them: lines without symbols."""
    old, new = _Excerpt(of_old), _Excerpt(of_new)
    before = after = 0
    lines = diff.patch.encode(diff.encoding).split(b"\n")
    for line, following in zip(lines, [*lines[1:], b""], strict=True):
        sign, text = line[:1], line[1:] + (b"" if following.startswith(b"\\") else b"\n")
        if sign == b"@":
            before, after = header_rows(line.decode("latin-1"))
            continue
        if sign in (b"-", b" "):
            old.rows_shown[before] = text
            before += 1
        if sign in (b"+", b" "):
            new.rows_shown[after] = text
            after += 1
    return old.whole(), new.whole()


class _Excerpt:
    """Some rows of a file."""

    def __init__(self, encoding: Encoding | None) -> None:
        self.rows_shown: dict[int, bytes] = {}
        self._encoding = encoding

    def whole(self) -> Outline:
        """A version with empty lines wherever the patch shows none."""
        last = max(self.rows_shown, default=-1)
        source = b"".join(self.rows_shown.get(row, b"\n") for row in range(last + 1))
        found = Outline(self._encoding.patch_to_utf8(source) if self._encoding else source)
        found.encoding = self._encoding
        return found


def _keys(diff: FileDiff) -> _Keys:
    old = (diff.old_blob, diff.old_filename or diff.filename) if diff.old_blob.strip("0") else None
    return old, (diff.new_blob, diff.filename) if diff.new_blob.strip("0") else None
