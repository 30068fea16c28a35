"""Whether both sides of patterns stand where they say: in blobs of the repository."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.git.blobs import BlobReader
from core.git.encodings import encoding_of
from core.records.patterns import Pattern
from core.text.redaction import Redactor

FOUND, OTHER, MISSING, UNPROVED = "found", "other text", "no such blob", "no evidence"


def check(patterns: Iterable[Pattern], git_dir: Path) -> Iterator[tuple[Pattern, Counter[str]]]:
    """Each pattern with how many of its sides are found in their blobs, and of the others why not.

    What was masked is compared as it is masked. Raises StageError where git cannot be asked.
    """
    redactor = Redactor()
    with BlobReader(git_dir) as blobs:
        for pattern in patterns:
            yield pattern, Counter(_sides(pattern, blobs, redactor))


def _sides(pattern: Pattern, blobs: BlobReader, redactor: Redactor) -> Iterator[str]:
    own = pattern.evidence[0] if pattern.evidence else None
    sides = (
        (pattern.before_code, own.old_lines if own else None, own.old_blob if own else ""),
        (pattern.after_code, own.new_lines if own else None, own.new_blob if own else ""),
    )
    for code, lines, blob in sides:
        if code and not (lines and blob):
            yield UNPROVED
        elif code and lines:
            content = blobs.read(blob)
            yield MISSING if content is None else FOUND if _has(content, lines, code, redactor) else OTHER


def _has(content: bytes, lines: tuple[int, int], code: str, redactor: Redactor) -> bool:
    """True where the lines of a file are the code, in whatever encoding."""
    rows = b"\n".join(content.split(b"\n")[lines[0] - 1 : lines[1]])
    guess = encoding_of(content)
    for encoding in ("utf-8", *([guess.name] if guess else []), "latin-1"):
        text = rows.decode(encoding, "replace")
        if code.rstrip("\n") in (text.rstrip("\n"), redactor.masked(text).rstrip("\n")):
            return True
    return False
