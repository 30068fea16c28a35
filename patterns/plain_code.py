"""The plain code of a repository that is nearest to a past change: what any search would show."""

from __future__ import annotations

from pathlib import Path

from core.git.repositories import open_repository
from core.records.patterns import Pattern
from index.code_index import CodeIndex
from patterns.pattern_index import texts_of

MOST_PLACES = 3
_MOST_CHARACTERS = 2_000


def nearest(pattern: Pattern, repo: str, cache_dir: Path) -> list[str]:
    """`path:first-last symbol` of the symbols that are most like the code before a change, as of the newest commit.

    The index of the repository's code is brought up to date first. Raises UserError where there is no such repository.
    """
    git_dir = open_repository(repo, cache_dir).git_dir
    with CodeIndex(git_dir, cache_dir) as index:
        index.update("HEAD")
        hits = index.search(" ".join(texts_of(pattern))[:_MOST_CHARACTERS], 4 * MOST_PLACES)
    return [f"{hit.path}:{hit.first}-{hit.last} {hit.symbol}" for hit in hits if hit.symbol][:MOST_PLACES]
