"""Which repositories to mine: named ones, curated ones, and results of searches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from core.config import expand, without_credentials
from core.errors import UserError
from core.git.names import by_folder, is_url
from core.history.overlay import Overlay
from core.logs import log
from core.records.mined import ClosedIssue, MinedRepository
from miners import clones
from miners.github import quality
from miners.github.patience import ResumeLaterError
from miners.github_client import GitHubClient, GitHubRepository, UnreachableError
from miners.issue_miner import closed_issues, latest
from miners.settings import MiningSettings
from miners.tally import MiningTally, reason_of

Since = Callable[[int], str]
"""From the id of a repository on GitHub: up to when its issues have been read, "" if never."""


class Collector:
    """All repositories that the settings name. A repository with several names comes once."""

    def __init__(self, settings: MiningSettings, cache_dir: Path) -> None:
        self._settings, self._cache_dir = settings, cache_dir
        self.tally = MiningTally()
        self._keys: set[str] = set()

    def collect(self, issues_since: Since = lambda _: "") -> Iterator[MinedRepository]:
        """Named clones first, then the repositories that GitHub finds.

        Raises UserError if the settings name nothing, ResumeLaterError if GitHub asks for a long pause.
        """
        settings = self._settings
        named = by_folder(settings.repositories)
        for location in named.values():
            place = location if is_url(location) else str(expand(location).resolve())
            yield MinedRepository(location=without_credentials(place))
        if settings.github and (settings.curated or settings.search):
            yield from self._from_github(issues_since)
        elif not named:
            raise UserError("nothing to mine", "name repositories, or let github_miner ask GitHub")

    def _from_github(self, issues_since: Since) -> Iterator[MinedRepository]:
        seen: set[int] = set()
        try:
            with GitHubClient(self._settings, self._cache_dir) as client:
                if not client.has_token:
                    log.warning(
                        "%s is not set: GitHub allows sixty requests an hour, and returns less",
                        self._settings.token_variable,
                    )
                try:
                    for found in self._found(client):
                        if found.id not in seen:
                            seen.add(found.id)
                            yield self._with_issues(client, found, issues_since)
                except UnreachableError as error:
                    self.tally.fail("things that GitHub could not tell us", error.message)
                finally:
                    self.tally.counts.update(client.traffic)
        finally:
            self.tally.counts["repositories from GitHub"] = len(seen)

    def _found(self, client: GitHubClient) -> Iterator[GitHubRepository]:
        now = datetime.now(UTC)
        for group, names in self._settings.curated.items():
            for name in names:
                with self._failing(name):
                    found = client.repository(name)
                    if found is None:
                        self.tally.drops["repositories that GitHub does not show us"] += 1
                        log.warning("%s (%s): GitHub does not show this repository", name, group)
                        continue
                    if found.full_name.lower() != name.lower():
                        log.info("%s is called %s now", name, found.full_name)
                    if reason := quality.against(found, self._settings, now):
                        log.warning("%s belongs to the %s; it is curated, so it stays", found.full_name, reason)
                    yield found
        for name, query in self._settings.search.items():
            with self._failing(f"search {name}"):
                for found in client.search(query, self._settings.search_limit):
                    if reason := quality.against(found, self._settings, now):
                        self.tally.drops[reason] += 1
                    else:
                        yield found

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        """Report a failure inside, and continue with the next request."""
        try:
            yield
        except (UnreachableError, ResumeLaterError, UserError):
            raise
        except Exception as error:  # noqa: BLE001 - a defect in reading one answer must not cost the others
            log.debug("%s: no answer", what, exc_info=True)
            self.tally.fail("things that GitHub could not tell us", f"{what}: {reason_of(error)}")

    def _with_issues(self, client: GitHubClient, found: GitHubRepository, issues_since: Since) -> MinedRepository:
        since = issues_since(found.id)
        issues: list[ClosedIssue] = []
        if self._settings.issues:
            with self._failing(f"issues of {found.full_name}"):
                issues += closed_issues(client, found.full_name, since, self._settings.issues, self.tally.counts)
        return MinedRepository(
            location=found.clone_url or f"https://github.com/{found.full_name}.git",
            full_name=found.full_name,
            github_id=found.id,
            stars=found.stargazers_count,
            licence=(found.license.spdx_id if found.license else None) or "",
            topics=found.topics,
            issues=[issue for issue in issues if issue.errors],
            issues_until=latest(issues, since),
        )

    def opened(self, mined: MinedRepository) -> clones.Clone | None:
        """The updated clone of a repository; None if it is left out, with the reason in the tally."""
        found: tuple[clones.Clone, str | None] | None = None
        with self.tally.reading(mined.full_name or mined.location):
            clone = clones.open_clone(mined.location, self._cache_dir)
            found = clone, self._against(clone) if mined.full_name else None
        if found is None:
            return None
        clone, reason = found
        if clone.key in self._keys:
            reason = "clones of a repository that has been read already"
        self._keys.add(clone.key)
        if reason:
            self.tally.drops[reason] += 1
            return None
        return clone

    def _against(self, clone: clones.Clone) -> str | None:
        with Overlay(clone.git_dir) as overlay:
            number = int(overlay.run("rev-list", "--count", clone.head))
            names = overlay.run("ls-tree", "--name-only", clone.head).decode(errors="replace").lower().splitlines()
        has_readme = any(name.startswith("readme") for name in names)
        return quality.against_clone(number, has_readme=has_readme, settings=self._settings)
