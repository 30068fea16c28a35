"""The scope of a history; everything left out gets its reason."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class CommitScope:
    """A commit or file change stays unless one of these speaks against it."""

    since: int | None = None
    """Earliest commit time, seconds since 1970."""
    until: int | None = None
    """Latest commit time."""
    merges: bool = True
    bots: bool = True
    authors: tuple[str, ...] = ()
    """Regular expressions, searched without regard to case in "Name <e-mail>"; none lets all pass."""
    exclude_authors: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Patterns of whole paths, as in a shell; none lets all pass."""
    exclude_paths: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()

    def against_commit(self, time: int, parents: int) -> str | None:
        """The reason to leave a commit out, as far as the commit graph shows one."""
        if self.since is not None and time < self.since:
            return "commits before since"
        if self.until is not None and time > self.until:
            return "commits after until"
        if not self.merges and parents > 1:
            return "merge commits"
        return None

    def against_author(self, person: str, *, is_bot: bool) -> str | None:
        """The reason to leave a commit out for who made it; `person` is "Name <e-mail>"."""
        if is_bot and not self.bots:
            return "commits by bots"
        if self.authors and not _matches(self.authors, person):
            return "commits by other authors"
        if self.exclude_authors and _matches(self.exclude_authors, person):
            return "commits by excluded authors"
        return None

    @property
    def by_path(self) -> bool:
        """True where some files are left out."""
        return bool(self.paths or self.exclude_paths or self.extensions)

    def against_file(self, *names: str) -> str | None:
        """The reason to leave a file change out; of a rename both names count, and one is enough to stay."""
        reasons = [self._against_name(name) for name in names]
        return None if None in reasons else reasons[0]

    def _against_name(self, name: str) -> str | None:
        if self.extensions and not name.endswith(self.extensions):
            return "file changes with other extensions"
        if self.paths and not any(fnmatch.fnmatchcase(name, pattern) for pattern in self.paths):
            return "file changes outside paths"
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.exclude_paths):
            return "file changes in excluded paths"
        return None


def parse_time(text: str, *, end_of_day: bool = False) -> int:
    """Seconds since 1970 of an ISO date or time, in UTC unless it names a zone.

    A bare date means its first second, or with `end_of_day` its last. Raises ValueError.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("expected a date such as 2024-01-31, or a time such as 2024-01-31T12:00:00+02:00") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if end_of_day and len(text) <= len("2024-01-31"):
        moment += timedelta(days=1, seconds=-1)
    return int(moment.timestamp())


def _matches(patterns: Sequence[str], person: str) -> bool:
    return any(re.search(pattern, person, re.IGNORECASE) for pattern in patterns)
