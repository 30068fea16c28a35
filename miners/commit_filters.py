"""Which commits teach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CommitFilters:
    """Which commits teach."""

    exclude_merge_commits: bool = False
    exclude_bot_commits: bool = True
    min_diff_lines: int = 1
    """Added and removed lines of source files."""
    max_diff_lines: int = 500
    require_message_pattern: bool = False
    """Only commits whose message tells what they are for."""
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Regular expressions by the name of a kind of fix: how often messages of fixes say such a thing is counted."""
