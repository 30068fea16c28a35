"""Patterns as a pipeline writes them, as the memory takes them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from pydantic import ValidationError

from core.records.patterns import Pattern
from patterns.memory.operations import NewPattern


def new_patterns(pattern: Pattern) -> Iterator[NewPattern]:
    """One for each place where the pattern occurred, the first one first; none where it is too long to be kept."""
    record = msgspec.to_builtins(pattern)
    places = [(pattern.commit, pattern.file_path), *((one.commit, one.path) for one in pattern.evidence[1:])]
    for commit, path in places:
        try:
            yield NewPattern.model_validate({**record, "commit": commit, "file_path": path})
        except ValidationError:
            return
