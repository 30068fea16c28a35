"""change_types.json: counts of chunks.jsonl by commit."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.errors import UserError
from core.records import SCHEMA_VERSION
from core.records.change_types import change_types_of, read_change_types, write_change_types


def chunk(commit: str, change_type: str, **more: object) -> bytes:
    values = {"schema_version": SCHEMA_VERSION, "commit_hash": commit, "change_type": change_type, **more}
    return msgspec.json.encode(values) + b"\n"


def test_counts_come_back_as_they_were_written(tmp_path: Path) -> None:
    chunks, file = tmp_path / "chunks.jsonl", tmp_path / "change_types.json"
    chunks.write_bytes(
        chunk("a", "bug_fix") + chunk("a", "bug_fix") + chunk("a", "bug_fix", part_of="a_1") + chunk("b", "other")
    )
    record = change_types_of(chunks)
    assert record.commits == {"a": {"bug_fix": 2}, "b": {"other": 1}}
    write_change_types(file, record)
    assert read_change_types(file) == record


def test_a_broken_line_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    (tmp_path / "chunks.jsonl").write_bytes(chunk("a", "bug_fix") + b"{\n")
    with pytest.raises(UserError, match="line 2"):
        change_types_of(tmp_path / "chunks.jsonl")
    with pytest.raises(UserError, match="cannot be read"):
        read_change_types(tmp_path / "change_types.json")
