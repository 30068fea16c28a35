"""Where a repository is published: the URLs of its remotes."""

from __future__ import annotations

import re
from pathlib import Path

from core.config import without_credentials
from core.errors import GitloreError
from core.git import commands

PUBLIC_HOSTS = frozenset(("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "git.sr.ht", "gitee.com"))
_HOST = re.compile(r"(?:https?://|git@|ssh://git@|git://)(?:[^@/]*@)?([\w.-]+)")


def published_at(location: str, git_dir: str) -> str:
    """The URL at a public host that a repository comes from or has as a remote; "" where none is known.

    `location` is a path or URL, `git_dir` is "" where the repository is not on this machine.
    """
    for url in (location, *(remote_urls(Path(git_dir)) if git_dir else ())):
        host = _HOST.search(url)
        if host and host[1].lower() in PUBLIC_HOSTS:
            return without_credentials(url)
    return ""


def remote_urls(git_dir: Path) -> list[str]:
    """The URLs of all remotes; none where the repository is gone."""
    try:
        lines = commands.run(git_dir, "config", "--get-regexp", r"^remote\..*\.url$").decode(errors="replace")
    except (GitloreError, OSError):
        return []
    return [line.partition(" ")[2] for line in lines.splitlines()]
