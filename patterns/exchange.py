"""Patterns that come from elsewhere, or go there: JSON lines of eight fields, and of all others that are known.

A file that is imported may have been written by anybody: each line is checked, bounded and masked before it is kept,
and of a file with a broken line nothing is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from core.code.languages import language_of
from core.errors import UserError
from core.files import atomic_write
from core.records.lines import DAMAGED
from core.records.patterns import PROBLEM_TYPES, Evidence, Pattern, read_patterns
from core.text.redaction import Redactor

REQUIRED = Pattern.__struct_fields__[:8]
"""The fields that every pattern has, wherever it comes from."""
MOST_PATTERNS = 100_000
MOST_LINE_BYTES = 1 << 20
MOST_CODE = 1 << 18
"""Bytes of a side, a message, or a list, as JSON."""
MOST_TEXT = 2_000
"""Bytes of any other text."""
_LONG = ("before_code", "after_code", "commit_msg")
_PATTERN_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_HASH = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})?")
_HINT = "nothing was imported; correct the file, or take the line out"
_UNKNOWN: dict[str, Any] = {
    **dict.fromkeys(("repository", "commit", "chunk_id", "file_path", "language", "symbol", "signature"), ""),
    **dict.fromkeys(("change_kind", "solution_hash", "shape_hash"), ""),
    "with_test": False,
    "evidence": [],
}
"""What the eight fields do not say."""


def export(patterns: Iterable[Pattern], path: Path) -> int:
    """Write patterns as JSON lines, whole or not at all; gives their number."""
    count = 0
    with atomic_write(path) as file:
        for pattern in patterns:
            file.write(msgspec.json.encode(pattern) + b"\n")
            count += 1
    return count


def merge(path: Path, new: Iterable[Pattern]) -> tuple[int, int]:
    """Add patterns to a file, which need not be there yet; gives (added, known): an id that it has is not added."""
    kept = list(read_patterns(path)) if path.exists() else []
    ids = {one.pattern_id for one in kept}
    known = added = 0
    for pattern in new:
        if pattern.pattern_id in ids:
            known += 1
        else:
            ids.add(pattern.pattern_id)
            kept.append(pattern)
            added += 1
    export(kept, path)
    return added, known


def read_import(path: Path) -> list[Pattern]:
    """The patterns of a file of JSON lines. Raises UserError, with the line, for what is no pattern."""
    found: list[Pattern] = []
    redactor = Redactor()
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MOST_LINE_BYTES + 1):
            number += 1
            place = f"{path}, line {number}"
            if len(line) > MOST_LINE_BYTES:
                raise UserError(f"{place} is longer than {MOST_LINE_BYTES:,} bytes", _HINT)
            if len(found) >= MOST_PATTERNS:
                raise UserError(f"{path} has more than {MOST_PATTERNS:,} patterns", "import it in several files")
            if line.strip():
                found.append(_pattern(line, place, redactor))
    return found


def _pattern(line: bytes, place: str, redactor: Redactor) -> Pattern:
    """A line as a pattern. What only its own repository can know (template, counts of masks) is dropped."""
    try:
        given = msgspec.json.decode(line)
        if not isinstance(given, dict):
            raise UserError(f"{place} is no JSON object", _HINT)
        if missing := [name for name in REQUIRED if name not in given]:
            raise UserError(f"{place} has no {missing[0]}", _HINT)
        pattern = msgspec.convert({**_UNKNOWN, **given}, Pattern)
    except DAMAGED as error:
        raise UserError(f"{place}: {error}", _HINT) from None
    if problem := _problem(pattern):
        raise UserError(f"{place}: {problem}", _HINT)
    pattern.language = pattern.language or language_of(pattern.file_path)
    for name in (*_LONG, "signature"):
        setattr(pattern, name, redactor.masked(getattr(pattern, name)))
    return pattern


def _problem(pattern: Pattern) -> str:
    """What is wrong with a pattern, or ""."""
    if not _PATTERN_ID.fullmatch(pattern.pattern_id):
        return "pattern_id must be 1 to 64 letters, digits, - or _"
    if pattern.problem_type not in PROBLEM_TYPES:
        return f"problem_type must be one of {', '.join(PROBLEM_TYPES)}"
    if not pattern.after_code.strip():
        return "after_code is empty"
    if not (math.isfinite(pattern.confidence) and 0 <= pattern.confidence <= 1):
        return "confidence must be from 0 to 1"
    try:
        datetime.fromisoformat(pattern.date).astimezone(UTC)
    except (ValueError, OverflowError):
        return "date must be an ISO 8601 date"
    if too_long := next(_too_long(pattern), ""):
        return f"{too_long} is too long"
    if not all(map(_is_evidence, pattern.evidence)):
        return "evidence must name commits and blobs by their full hashes, and lines from 1"
    return "" if _HASH.fullmatch(pattern.commit) else "commit must be a full hash"


def _too_long(pattern: Pattern) -> Iterator[str]:
    """Fields that are longer than they may be."""
    for name in Pattern.__struct_fields__:
        value = getattr(pattern, name)
        short = isinstance(value, str) and name not in _LONG
        if len(msgspec.json.encode(value)) > (MOST_TEXT if short else MOST_CODE):
            yield name


def _is_evidence(evidence: Evidence) -> bool:
    hashes = (evidence.commit, evidence.old_blob, evidence.new_blob)
    ranges = (evidence.old_lines or (1, 1), evidence.new_lines or (1, 1))
    return all(map(_HASH.fullmatch, hashes)) and all(1 <= first <= last for first, last in ranges)
