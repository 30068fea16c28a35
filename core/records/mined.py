"""mined.jsonl: repositories beside the one at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from core.records import SCHEMA_VERSION
from core.records.lines import check_version, decode


class ClosedIssue(msgspec.Struct, kw_only=True):
    """An issue that names an error, and what closed it."""

    number: int
    title: str
    errors: list[str]
    """Types of the errors that it speaks of."""
    commits: list[str]
    """Commits that may have closed it, likeliest first; empty where only the history can tell."""
    updated_at: str
    """ISO 8601 in UTC."""


class MinedRepository(msgspec.Struct, kw_only=True):
    """One line of mined.jsonl: a repository beside the one at hand, and what GitHub knows of it."""

    schema_version: str = SCHEMA_VERSION
    location: str
    """Where its clone lies, or the URL that it is cloned from; without credentials."""
    full_name: str = ""
    """owner/name on GitHub; empty for a clone that only its folder is known of."""
    github_id: int | None = None
    stars: int | None = None
    licence: str = ""
    topics: list[str] = []
    issues: list[ClosedIssue] = []
    issues_until: str = ""
    """Latest change of an issue that was read."""


_MINED = msgspec.json.Decoder(MinedRepository)


def read_mined(path: Path) -> Iterator[MinedRepository]:
    """The repositories of mined.jsonl, one at a time. Raises UserError on a broken line or another version."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1:
                check_version(path, line, "github_miner")
            yield decode(_MINED, line, path, number)
