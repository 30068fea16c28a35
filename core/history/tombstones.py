"""Commits that were read once and are no longer reached by any ref: what a rewritten history leaves behind."""

from __future__ import annotations

from collections.abc import Iterator, Set
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from core.errors import UserError
from core.git import commands
from core.history.index import KnownCommits
from core.history.messages import Pseudonyms
from core.history.overlay import Overlay
from core.history.snapshot import Order, Snapshot
from core.history.walk import iso
from core.history.writer import EarlierHistory
from core.records import SCHEMA_VERSION
from core.records.commits import Commit
from core.records.lines import DAMAGED

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
            base = commands.run(git_dir, "merge-base", old, new, accept=(0, 1, 128)).decode().strip()
            if base != old:
                found[ref] = "rewritten"
    return found


def write(
    path: Path,
    known: Path | None,
    earlier: EarlierHistory | None,
    order: Order,
    overlay: Overlay,
    pseudonyms: Pseudonyms | None,
) -> int:
    """Carry the `known` tombstones over, and add the commits of `earlier` that no ref reaches any more.

    Those that are reached again are left out. Returns how many were added. Raises UserError for a
    damaged file of tombstones.
    """
    gone = KnownCommits(order, earlier.index).gone if earlier else []
    lost = {earlier.index.hash(row).hex(): row for row in gone} if earlier else {}
    before = {tombstone.commit.metadata.hash: tombstone for tombstone in _read(known)} if known else {}
    reached = _reached(overlay, lost.keys() | before.keys())
    encoder = msgspec.json.Encoder()
    when = iso(int(datetime.now(UTC).timestamp()))
    added = 0
    with path.open("wb") as out:
        for hash_, tombstone in before.items():
            if hash_ not in reached:
                out.write(encoder.encode(_redacted(tombstone, pseudonyms)) + b"\n")
        if earlier:
            with earlier.path.open("rb") as source:
                for hash_, row in lost.items():
                    if hash_ in reached or hash_ in before:
                        continue
                    start, end = earlier.index.span(row, row + 1)
                    source.seek(start)
                    commit = msgspec.json.decode(source.read(end - start), type=Commit)
                    out.write(encoder.encode(_redacted(Tombstone(vanished=when, commit=commit), pseudonyms)) + b"\n")
                    added += 1
    return added


def _reached(overlay: Overlay, hashes: Set[str]) -> set[str]:
    """Which of these commits some ref of the repository reaches, in scope or not."""
    if not hashes:
        return set()
    with commands.stream(overlay.repository, "rev-list", "--all") as lines:
        return {hash_ for hash_ in (line.decode().strip() for line in lines) if hash_ in hashes}


def _redacted(tombstone: Tombstone, pseudonyms: Pseudonyms | None) -> Tombstone:
    if pseudonyms:
        pseudonyms.redact(tombstone.commit.metadata)
    return tombstone


def _read(path: Path) -> Iterator[Tombstone]:
    if not path.is_file():
        return
    decoder = msgspec.json.Decoder(Tombstone)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield decoder.decode(line)
            except DAMAGED as error:
                raise UserError(f"{path}, line {number}: {error}", "remove that line, or the file") from None
