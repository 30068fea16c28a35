"""Export and import: what comes in is checked, bounded and masked, or nothing of the file is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from patterns_made_up import pattern, write

from core.errors import UserError
from core.records.patterns import Evidence, read_patterns
from patterns import exchange
from patterns.exchange import REQUIRED, export, merge, read_import


def line(**fields: Any) -> bytes:
    """A pattern with the eight fields alone, and these."""
    made = msgspec.to_builtins(pattern())
    return json.dumps({**{name: made[name] for name in REQUIRED}, **fields}).encode() + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "given.jsonl"


def test_an_export_is_imported_as_it_was(path: Path) -> None:
    assert export([pattern()], path) == 1
    assert read_import(path) == [pattern()]


def test_the_eight_fields_are_enough(path: Path) -> None:
    assert REQUIRED[0] == "pattern_id"
    assert REQUIRED[-1] == "confidence"
    path.write_bytes(line(file_path="src/a.rs", unknown={"deep": [1]}) + b"\n" + line(pattern_id="p2"))
    first, second = read_import(path)
    assert (first.language, first.evidence, first.survival) == ("rust", [], None)
    assert second.pattern_id == "p2"


def test_credentials_are_masked(path: Path) -> None:
    key = "ghp_" + "a1B2" * 9
    path.write_bytes(line(after_code=f'token = "{key}"', commit_msg=f"Use {key}"))
    (found,) = read_import(path)
    assert key not in found.after_code + found.commit_msg
    assert found.after_code.startswith("token = ")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (b"{", "line 1: Input data was truncated"),
        (b"[1]\n", "line 1 is no JSON object"),
        (b"[" * 100_000, "line 1: "),
        (b"\xff\xfe\n", "line 1: "),
        (b'{"pattern_id": "p"}\n', "line 1 has no problem_type"),
        (line(pattern_id="../../etc"), "pattern_id must be 1 to 64 letters"),
        (line(pattern_id="p\n"), "pattern_id must be 1 to 64 letters"),
        (line(problem_type="exploit"), "problem_type must be one of bug_fix, feature_addition"),
        (line(after_code=" "), "after_code is empty"),
        (line(confidence=1.2), "confidence must be from 0 to 1"),
        (line(confidence="high"), "line 1: "),
        (line().replace(b"0.8", b"NaN"), "line 1: "),
        (line().replace(b"0.8", b"1e999"), "line 1: "),
        (line(before_code="\ud800"), "line 1: "),
        (line(date="yesterday"), "date must be an ISO 8601 date"),
        (line(date="0001-01-01T00:00:00+23:00"), "date must be an ISO 8601 date"),
        (line(author="a" * 3_000), "author is too long"),
        (line(commit_msg="a" * (1 << 18)), "commit_msg is too long"),
        (line(closes=["#1"] * 100_000), "closes is too long"),
        (line(commit="HEAD"), "commit must be a full hash"),
        (line(evidence=[{"commit": "c" * 40, "path": "a", "old_path": "a", "old_blob": "x\ny"}]), "full hashes"),
        (line(evidence=[{"commit": "", "path": "a", "old_path": "a", "new_lines": [0, 3]}]), "lines from 1"),
        (b'{"a": "' + b"a" * (1 << 20), "longer than 1,048,576 bytes"),
    ],
)
def test_what_is_no_pattern_is_refused_with_its_line(path: Path, given: bytes, sentence: str) -> None:
    path.write_bytes(given)
    with pytest.raises(UserError) as caught:
        read_import(path)
    assert sentence in caught.value.message
    assert "nothing was imported" in caught.value.hint


def test_a_file_of_too_many_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MOST_PATTERNS", 2)
    path.write_bytes(b"".join(line(pattern_id=f"p{number}") for number in range(3)))
    with pytest.raises(UserError, match="more than 2 patterns"):
        read_import(path)


def test_merging_adds_what_is_not_known(tmp_path: Path) -> None:
    kept = tmp_path / "memory" / "patterns.jsonl"
    other = pattern(pattern_id="other", evidence=[Evidence(commit="", path="a", old_path="a")])
    assert merge(kept, [pattern()]) == (1, 0)
    assert merge(kept, [pattern(author="Bob"), other, other]) == (1, 2)
    assert list(read_patterns(kept)) == [pattern(), other]
    assert write(tmp_path / "both.jsonl", [pattern(), other]).read_bytes() == kept.read_bytes()
