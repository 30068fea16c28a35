"""Which symbols differ between two commits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from chat.citations import lines_of
from core.git import trees
from core.git.blobs import BlobReader
from index import texts
from index.texts import Symbol

MOST_FILES = 2000
ADDED, CHANGED, REMOVED = "added", "changed", "removed"


class Change(NamedTuple):
    """What happened to a symbol; its lines are those after the change, or of what was removed."""

    path: str
    what: str
    kind: str
    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Compared:
    """What differs between two commits."""

    files: int
    """That differ, but for moved ones; symbols are looked at in MOST_FILES of them."""
    changes: Sequence[Change]
    blobs: frozenset[str]
    """The contents of the newer commit."""

    def lines(self) -> list[str]:
        """As people read it, a symbol a line."""
        left = f", of which the first {MOST_FILES:,} were looked at" if self.files > MOST_FILES else ""
        head = f"{len(self.changes):,} symbols in {self.files:,} files{left}"
        return [
            head,
            *(f"{one.what:<8} {one.kind:<10} {one.path}:{one.first}-{one.last} {one.name}" for one in self.changes),
        ]


def between(git_dir: Path, old: str, new: str) -> Compared:
    """What the symbols of both sides of each file that differs say."""
    before, after = trees.files_of(git_dir, old), trees.files_of(git_dir, new)
    paths = differing(before, after)
    with BlobReader(git_dir) as reader:
        sides = [(path, before.get(path), after.get(path)) for path in paths[:MOST_FILES]]
        found = [one for side in sides for one in _changes(reader, *side)]
    return Compared(len(paths), found, frozenset(after.values()))


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Paths whose contents differ, without files that were only moved."""
    gone = Counter(blob for path, blob in before.items() if path not in after)
    found = []
    for path, blob in sorted(after.items()):
        if path not in before and gone[blob]:
            gone[blob] -= 1
        elif before.get(path) != blob:
            found.append(path)
    for path, blob in sorted(before.items()):
        if path not in after and gone[blob]:
            gone[blob] -= 1
            found.append(path)
    return sorted(found)


def compared(path: str, old: Iterable[tuple[Symbol, str]], new: Iterable[tuple[Symbol, str]]) -> list[Change]:
    """What happened to the symbols of a file; each comes with its own text, without that of symbols in it.

    Of several symbols with one name, those whose text is the same are the same.
    """
    sides: tuple[defaultdict[tuple[str, str], list[tuple[Symbol, str]]], ...] = (defaultdict(list), defaultdict(list))
    for side, symbols in zip(sides, (old, new), strict=True):
        for symbol, text in symbols:
            side[symbol.kind, symbol.name].append((symbol, text))
    found = []
    for key in dict.fromkeys([*sides[1], *sides[0]]):
        was, now = sides[0][key], sides[1][key]
        left = Counter(text for _, text in was)
        changed = [one for one, text in now if not _taken(left, text)]
        left = Counter(text for _, text in now)
        missing = [one for one, text in was if not _taken(left, text)]
        both = min(len(changed), len(missing))
        what = [(CHANGED, one) for one in changed[:both]] + [(ADDED, one) for one in changed[both:]]
        what += [(REMOVED, one) for one in missing[both:]]
        found += [Change(path, word, one.kind, one.name, one.first, one.last) for word, one in what]
    return sorted(found, key=lambda one: (one.what == REMOVED, one.first))


def _taken(left: Counter[str], text: str) -> bool:
    if not left[text]:
        return False
    left[text] -= 1
    return True


def _changes(reader: BlobReader, path: str, old: str | None, new: str | None) -> list[Change]:
    if texts.left_out(path):
        return []
    return compared(path, _symbols(reader, path, old), _symbols(reader, path, new))


def _symbols(reader: BlobReader, path: str, blob: str | None) -> list[tuple[Symbol, str]]:
    """The symbols of a content, each with the lines that are in no symbol within it."""
    source = reader.read(blob, texts.MAX_BYTES) if blob else None
    if source is None:
        return []
    symbols = texts.parsed(source, path).symbols
    lines = lines_of(source)
    found = []
    for symbol in symbols:
        inner = {
            line
            for other in symbols
            if other is not symbol and symbol.first <= other.first and other.last <= symbol.last
            for line in range(other.first, other.last + 1)
        }
        own = (lines[line - 1] for line in range(symbol.first, min(symbol.last, len(lines)) + 1) if line not in inner)
        found.append((symbol, "\n".join(own)))
    return found
