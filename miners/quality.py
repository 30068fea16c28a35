"""Which repositories are good enough to learn from, and why others are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from miners.github_client import Repository
from miners.settings import GitHubMinerConfig


def against(found: Repository, settings: GitHubMinerConfig, now: datetime) -> str | None:
    """The reason to leave a repository out for what GitHub says of it, None to keep it."""
    if found.disabled:
        return "repositories that GitHub has disabled"
    licence = (found.license.spdx_id if found.license else None) or ""
    if settings.has_license and not licence:
        return "repositories without a licence"
    if settings.licences and licence not in settings.licences:
        return f"repositories under other licences ({licence or 'none'})"
    if found.stargazers_count < settings.min_stars:
        return "repositories below min_stars"
    if settings.max_days_since_update and found.pushed_at:
        pushed = datetime.fromisoformat(found.pushed_at)
        pushed = pushed if pushed.tzinfo else pushed.replace(tzinfo=UTC)
        if now - pushed > timedelta(days=settings.max_days_since_update):
            return "repositories without a push in max_days_since_update"
    return None


def against_clone(commits: int, *, has_readme: bool, settings: GitHubMinerConfig) -> str | None:
    """The reason to leave a repository out for what its clone shows."""
    if commits < settings.min_commits:
        return "repositories below min_commits"
    if settings.has_readme and not has_readme:
        return "repositories without a README"
    return None
