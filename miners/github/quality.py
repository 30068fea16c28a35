"""Which repositories are good enough to learn from, and why others are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from miners.github_client import GitHubRepository
from miners.settings import MiningSettings


def against(found: GitHubRepository, settings: MiningSettings, now: datetime) -> str | None:
    """The reason to leave a repository out, from its data on GitHub; None to keep it."""
    if found.disabled:
        return "repositories that GitHub has disabled"
    licence = (found.license.spdx_id if found.license else None) or ""
    if settings.has_license and not licence:
        return "repositories without a licence"
    if settings.licences and licence not in settings.licences:
        return f"repositories under other licences ({licence or 'none'})"
    if found.stargazers_count < settings.min_stars:
        return "repositories below min_stars"
    pushed = _moment(found.pushed_at)
    if settings.max_days_since_update and pushed and now - pushed > timedelta(days=settings.max_days_since_update):
        return "repositories without a push in max_days_since_update"
    return None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and not moment.tzinfo else moment


def against_clone(commits: int, *, has_readme: bool, settings: MiningSettings) -> str | None:
    """The reason to leave a repository out, from its clone; None to keep it."""
    if commits < settings.min_commits:
        return "repositories below min_commits"
    if settings.has_readme and not has_readme:
        return "repositories without a README"
    return None
