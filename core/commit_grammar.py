"""How a history is written as one sequence of text and markers.

    history = commit*
    commit  = <COMMIT_START> <AUTHOR> name <DATE> yyyy-mm <MESSAGE> first line  chunk+  <COMMIT_END>
    chunk   = <FILE_START> path <CHANGE:type> [<SYMBOL> qualified name] <CODE_START> code <CODE_END> <FILE_END>

Markers are single tokens from a small closed set; names, paths, messages and code are ordinary
text, so that anything new can still be said. Text that looks like a marker stays text, because
markers are placed by id and never found by matching.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from core.change_types import CHANGE_TYPES
from core.records import Chunk


class Marker(str):
    """A structural token; everything else in a sequence is text."""

    __slots__ = ()


COMMIT_START = Marker("<COMMIT_START>")
COMMIT_END = Marker("<COMMIT_END>")
AUTHOR = Marker("<AUTHOR>")
DATE = Marker("<DATE>")
MESSAGE = Marker("<MESSAGE>")
FILE_START = Marker("<FILE_START>")
FILE_END = Marker("<FILE_END>")
SYMBOL = Marker("<SYMBOL>")
CODE_START = Marker("<CODE_START>")
CODE_END = Marker("<CODE_END>")
CHANGES = {name: Marker(f"<CHANGE:{name}>") for name in CHANGE_TYPES}
MARKERS: tuple[Marker, ...] = (
    *(COMMIT_START, COMMIT_END, AUTHOR, DATE, MESSAGE, FILE_START, FILE_END, SYMBOL, CODE_START, CODE_END),
    *CHANGES.values(),
)

CodeView = Literal["new", "diff"]
"""What stands between <CODE_START> and <CODE_END>: the new code, or the patch."""

Pieces = list[str]
"""Markers (instances of `Marker`) and text (plain strings), in order."""


def serialise(chunks: Sequence[Chunk], view: CodeView) -> Iterator[Pieces]:
    """One list of pieces per chunk of one commit; together, in order, they are the commit.

    The first carries the commit's head, the last its end.
    """
    for number, chunk in enumerate(chunks):
        pieces = commit_head(chunk) if number == 0 else []
        pieces += _chunk(chunk, view)
        if number == len(chunks) - 1:
            pieces.append(COMMIT_END)
        yield pieces


def commit_head(chunk: Chunk) -> Pieces:
    """What comes before a commit's first file."""
    about = chunk.commit_metadata
    return [*author_and_date(about.author, about.timestamp), MESSAGE, about.message]


def author_and_date(author: str, timestamp: str) -> Pieces:
    """The start of a commit: who, and the month of an ISO 8601 time."""
    return [COMMIT_START, AUTHOR, author, DATE, timestamp[:7]]


def by_commit(chunks: Iterator[Chunk]) -> Iterator[list[Chunk]]:
    """Chunks in file order, grouped into those of one commit."""
    group: list[Chunk] = []
    for chunk in chunks:
        if group and group[0].commit_hash != chunk.commit_hash:
            yield group
            group = []
        group.append(chunk)
    if group:
        yield group


def _chunk(chunk: Chunk, view: CodeView) -> Pieces:
    symbol = [SYMBOL, chunk.qualified_name] if chunk.qualified_name else []
    code = chunk.new_code if view == "new" else chunk.patch
    return [FILE_START, chunk.file_path, CHANGES[chunk.change_type], *symbol, CODE_START, code, CODE_END, FILE_END]
