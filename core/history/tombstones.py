"""Commits that were read once and are no longer reached by any ref: what a rewritten history leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from core import git
from core.history.index import Match
from core.history.snapshot import Order, Snapshot
from core.history.writer import Earlier
from core.records import SCHEMA_VERSION, Commit

_MOST_REFS_COMPARED = 500


class Tombstone(msgspec.Struct, kw_only=True):
    """One line of tombstones.jsonl."""

    schema_version: str = SCHEMA_VERSION
    vanished: str
    """When it was noticed, ISO 8601 in UTC."""
    commit: Commit
    """As it last stood in commits.json."""


def rewritten(git_dir: Path, before: dict[str, str], snapshot: Snapshot) -> dict[str, str]:
    """Branches of `before` that are gone ("deleted"), or do not build on what they were ("rewritten")."""
    found = {}
    compared = 0
    for ref, old in before.items():
        new = snapshot.refs.get(ref)
        if new == old or not ref.startswith(("refs/heads/", "refs/remotes/")):
            continue
        if new is None:
            found[ref] = "deleted"
        elif compared < _MOST_REFS_COMPARED:
            compared += 1
            base = git.run(git_dir, "merge-base", old, new, accept=(0, 1, 128)).decode().strip()
            if base != old:
                found[ref] = "rewritten"
    return found


def write(path: Path, known: Path, earlier: Earlier | None, order: Order, when: str) -> int:
    """Carry the known tombstones over, but for commits that are back, and add the commits of `earlier` that are gone.

    Returns how many were added.
    """
    gone = Match(order, earlier.index).gone if earlier else []
    with path.open("wb") as out:
        written: set[str] = set()
        for tombstone, line in _read(known):
            if not written:
                present = {order.hash(number) for number in range(len(order))}
            hash_ = tombstone.commit.metadata.hash
            if hash_ not in present and hash_ not in written:
                out.write(line)
            written.add(hash_)
        if earlier is None:
            return 0
        with earlier.path.open("rb") as source:
            for row in gone:
                start, end = earlier.index.span(row, row + 1)
                source.seek(start)
                head = msgspec.json.encode({"schema_version": SCHEMA_VERSION, "vanished": when})
                out.write(head[:-1] + b',"commit":' + source.read(end - start) + b"}\n")
    return len(gone)


def _read(path: Path) -> Iterator[tuple[Tombstone, bytes]]:
    if path.is_file():
        decoder = msgspec.json.Decoder(Tombstone)
        with path.open("rb") as file:
            for line in file:
                yield decoder.decode(line), line
