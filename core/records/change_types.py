"""change_types.json: how many changes of each type every commit made, in short what chunks.jsonl holds at length."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from core.files import atomic_write
from core.records.json_files import read_record
from core.records.lines import check_version, decode

SCHEMA = "1.0"


class ChangeTypesRecord(msgspec.Struct, kw_only=True):
    """Counts of change types by the commit's hash."""

    schema_version: str = SCHEMA
    commits: dict[str, dict[str, int]] = {}


class _OfChunk(msgspec.Struct):
    commit_hash: str
    change_type: str
    part_of: str | None = None


def change_types_of(chunks: Path) -> ChangeTypesRecord:
    """The counts of chunks.jsonl, read as a stream; code that was cut into parts is one change.

    Raises UserError on a broken line or another version.
    """
    decoder = msgspec.json.Decoder(_OfChunk)
    commits: dict[str, Counter[str]] = {}
    with chunks.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1:
                check_version(chunks, line, "semantic_chunker")
            chunk = decode(decoder, line, chunks, number)
            if chunk.part_of is None:
                commits.setdefault(chunk.commit_hash, Counter())[chunk.change_type] += 1
    return ChangeTypesRecord(commits={hash_: dict(sorted(counts.items())) for hash_, counts in commits.items()})


def read_change_types(path: Path) -> ChangeTypesRecord:
    """The counts in a file. Raises UserError where it is missing, damaged, or of another major version."""
    return read_record(path, ChangeTypesRecord, SCHEMA, "make it again: python pipeline.py --stage change_ranker")


def write_change_types(path: Path, record: ChangeTypesRecord) -> None:
    """Write counts, without indentation: there is a line's worth for every commit."""
    with atomic_write(path) as file:
        file.write(msgspec.json.encode(record))
