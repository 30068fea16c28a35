"""Settings of mining that stages and scripts share. The defaults are those of the source document."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, field_validator

from core.config import Section, expand

CURATED_REPOS: dict[str, tuple[str, ...]] = {
    "backend_patterns": ("fastapi/fastapi", "encode/starlette", "pydantic/pydantic", "mongodb/motor"),
    "frontend_patterns": ("shadcn-ui/ui", "vercel/next.js", "vitejs/vite", "tailwindlabs/tailwindcss"),
    "fullstack_patterns": ("reflex-dev/reflex", "zauberzeug/nicegui", "streamlit/streamlit"),
    "admin_dashboards": ("marmelab/react-admin", "refinedev/refine"),
}
SEARCH_QUERIES: dict[str, str] = {
    "admin_dashboard": "topic:admin-dashboard language:python stars:>50",
    "crud_api": "topic:fastapi topic:crud stars:>20",
    "saas_app": "topic:saas topic:python stars:>100",
    "ecommerce": "topic:ecommerce language:javascript stars:>50",
    "portfolio": "topic:portfolio topic:react stars:>30",
}
COMMIT_PATTERNS: dict[str, tuple[str, ...]] = {
    "syntax_fix": (r"fix:\s*syntax", r"fix:\s*indentation", r"fix:\s*typo"),
    "dependency_fix": (r"fix:\s*import", r"add:\s*dependency", r"update:\s*requirements"),
    "logic_fix": (r"fix:\s*bug", r"fix:\s*logic", r"fix:\s*behavior"),
}
CACHE_HOURS: dict[str, float] = {"repository": 168.0, "commits": 24.0, "issues": 24.0, "search": 12.0}
"""How long answers of GitHub are used; kinds that a setting leaves out keep these."""
DEFAULT_STORES = "outputs/stores"


class MiningSettings(Section):
    """Which repositories are mined besides the one at hand, and what GitHub is asked for."""

    repositories: tuple[str, ...] = ()
    """Clones on this machine, git URLs, or text files that list some; they need no network but git's own."""
    github: bool = True
    """Ask GitHub too: for the curated repositories, by search, and for issues. False needs no token and no network."""
    curated: dict[str, tuple[str, ...]] = CURATED_REPOS
    """Repositories (owner/name) that are known to be good, by group; the filters below only warn about them."""
    search: dict[str, str] = SEARCH_QUERIES
    """Queries of GitHub's repository search, by name; what they find must pass the filters below."""
    search_limit: int = Field(default=20, ge=0, le=1000)
    """Maximum number of repositories to take from each query."""
    issues: int = Field(default=200, ge=0)
    """Maximum number of closed issues to read of each repository; 0 reads none."""
    licences: tuple[str, ...] = ("MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC")
    """SPDX names of licences whose repositories may be mined; empty allows all."""
    min_stars: int = Field(default=20, ge=0)
    """Skip repositories with fewer stars."""
    min_commits: int = Field(default=50, ge=0)
    """Skip repositories with fewer commits."""
    max_days_since_update: int = Field(default=365, ge=0)
    """Skip repositories without a push for longer, as abandoned; 0 sets no limit."""
    has_readme: bool = True
    """Only repositories with a README."""
    has_license: bool = True
    """Only repositories with a licence."""
    api_url: str = "https://api.github.com"
    """GitHub's API, or that of an Enterprise server: https://HOST/api/v3."""
    token_variable: str = "GITHUB_TOKEN"  # noqa: S105 - the name of a variable
    """Environment variable with the token, which is read from nowhere else."""
    max_wait_s: float = Field(default=900.0, ge=0)
    """Longest total wait for rate limits. For more, the run ends and says when to resume."""
    timeout_s: float = Field(default=30.0, gt=0)
    """Longest time for one request, including the body of its answer."""
    cache_hours: dict[str, float] = CACHE_HOURS
    """Hours for which cached answers are used without asking again, by kind."""
    workers: int = Field(default=0, ge=0, json_schema_extra={"control": True})
    """Git processes that diff in parallel; 0: one fewer than processors, at most 8. The result is the same."""
    enabled: bool = False
    """Mine other repositories at all."""

    @field_validator("curated", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        return _as_tuples(value)


class CommitFilters(Section):
    """Which commits become evidence."""

    exclude_merge_commits: bool = False
    """Ignore merge commits. Otherwise merges whose message says they are a fix are counted, diffed against their
    first parent."""
    exclude_bot_commits: bool = True
    """Ignore commits by programs."""
    min_diff_lines: int = Field(default=1, ge=0)
    """Ignore commits that change fewer lines of source code."""
    max_diff_lines: int = Field(default=500, ge=1)
    """Ignore commits that change more lines of source code: they are rarely one change."""
    require_message_pattern: bool = False
    """Ignore commits whose message does not show what they are for."""
    commit_patterns: dict[str, tuple[str, ...]] = COMMIT_PATTERNS
    """Regular expressions by kind of fix. Used for statistics only: the report counts how many fix messages match."""

    @field_validator("commit_patterns", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        return _as_tuples(value)

    @field_validator("commit_patterns")
    @classmethod
    def _expressions(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for pattern in (pattern for some in value.values() for pattern in some):
            try:
                re.compile(pattern)
            except (re.error, OverflowError) as error:
                raise ValueError(f"'{pattern}' is not a regular expression: {error}") from None
        return value


class SeedingSettings(CommitFilters):
    """Which commits become evidence, and where the stores are."""

    stores: str = Field(default=DEFAULT_STORES, json_schema_extra={"same_as": "pipeline.outputs/stores"})
    """Folder of the three databases; empty for stores/ in pipeline.outputs."""
    database: str = ""
    """PostgreSQL instead of files: postgresql://user@host/name. A password belongs into PGPASSWORD or ~/.pgpass."""

    @field_validator("stores")
    @classmethod
    def _default(cls, value: str) -> str:
        return value or DEFAULT_STORES

    @property
    def location(self) -> str:
        """Where the stores are: a folder or a URL."""
        return self.database or str(expand(self.stores))


def _as_tuples(value: Any) -> Any:
    """A mapping with tuples for its lists, which is how YAML and the command line give them."""
    if not isinstance(value, dict):
        return value
    return {name: tuple(some) if isinstance(some, list) else some for name, some in value.items()}
