"""The last commits of a repository, without writing any file."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from core.git.repositories import Repository
from core.history.filters import CommitScope
from core.history.options import ReadOptions
from core.history.overlay import Overlay
from core.history.reader import Reader
from core.records.commits import Commit, CommitContext, FileDiff


def recent_commits(repository: Repository, options: ReadOptions, tip: str, *, last: int) -> Iterator[Commit]:
    """The last commits that lead to `tip`, parents first, numbered from 0."""
    with Overlay(repository.git_dir) as overlay:
        listing = ("rev-list", "--date-order", "--reverse", f"--max-count={last}", "--stdin")
        hashes = overlay.run(*listing, stdin=tip.encode()).decode().split()
        reader = Reader(overlay, options, CommitScope(), workers=1)
        for number, one in enumerate(reader.read(hashes)):
            meta = one.metadata
            lines = meta.insertions + meta.deletions
            context = CommitContext(
                is_merge=meta.is_merge, has_tags=False, file_count=meta.files_changed, total_lines_changed=lines
            )
            diffs = [msgspec.json.decode(diff, type=FileDiff) for diff in one.diffs()]
            yield Commit(metadata=meta, diffs=diffs, tags=[], commit_number=number, context=context)
