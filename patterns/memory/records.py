"""Patterns as a pipeline writes them, as the memory takes them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from pydantic import ValidationError

from core.records.patterns import Pattern, Template
from patterns.memory.operations import Add, Convene, NewConvention, NewPattern


def operations_of(record: Pattern | Template) -> list[Add | Convene]:
    """What puts a line of patterns.jsonl or templates.jsonl into a memory; nothing where it is too long to be kept."""
    if isinstance(record, Pattern):
        return [Add(pattern=new) for new in new_patterns(record)]
    try:
        return [Convene(template=NewConvention.model_validate(msgspec.to_builtins(record)))]
    except ValidationError:
        return []


def new_patterns(pattern: Pattern) -> Iterator[NewPattern]:
    """One for each place where the pattern occurred, the first one first; none where it is too long to be kept."""
    record = msgspec.to_builtins(pattern)
    places = [(pattern.commit, pattern.file_path), *((one.commit, one.path) for one in pattern.evidence[1:])]
    for commit, path in places:
        try:
            yield NewPattern.model_validate({**record, "commit": commit, "file_path": path})
        except ValidationError:
            return
