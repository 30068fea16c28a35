"""mined.jsonl: repositories other than the one at hand."""

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
    """Types of the errors that it names."""
    commits: list[str]
    """Commits that may have closed it, likeliest first; empty where only the history can tell."""
    updated_at: str
    """ISO 8601 in UTC."""


class MinedRepository(msgspec.Struct, kw_only=True):
    """One line of mined.jsonl: another repository, where its clone is, and what GitHub knows of it."""

    schema_version: str = SCHEMA_VERSION
    location: str
    """The folder of its clone, or the URL that it is cloned from; without credentials."""
    git_dir: str = ""
    """Its git folder on this machine, brought up to date."""
    head: str = ""
    """The commit that is checked out there: with new commits the file changes, and what is made of it is stale."""
    full_name: str = ""
    """owner/name on GitHub; empty for a clone that was named by its folder or URL."""
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
