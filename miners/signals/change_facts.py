"""What evidence needs of one commit: its purpose, its size in source code, and the kind of a fix."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.chunking.filters import FileFilters
from core.code.languages import file_kind, is_manifest
from core.code.test_files import is_test_file
from core.records.commits import CommitMetadata, FileDiff
from miners.signals import diff_tags
from miners.signals.dialects import Dialect, Message, Purpose, purpose_of

MAX_SCANNED_BYTES = 200_000
"""Of a longer patch only the beginning is scanned for tags."""
_ASIDE = re.compile(
    r"(?:^|/)(?:docs?|docs_src|examples?|benchmarks?|bench|\.github|scripts|tutorials?|website)/", re.IGNORECASE
)
_PATH_REASON = FileFilters().path_reason


@functools.lru_cache(maxsize=1 << 16)
def is_source(path: str) -> bool:
    """True for a project's own code: no tests, documentation, examples, settings, vendored or generated files."""
    if file_kind(path) != "code" or is_test_file(path) or _ASIDE.search(path):
        return False
    return _PATH_REASON(path) is None and path not in ("setup.py", "noxfile.py", "conftest.py")


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """One commit."""

    sha: str
    at: int
    """When it was committed, in seconds since 1970."""
    purpose: Purpose
    files: int
    """Source files that it changed."""
    lines: int
    """Added and removed lines of them."""
    with_tests: bool
    """It changed tests too."""
    tags: Sequence[str] = ()
    """Of a fix: all kinds that it has signs of."""

    @property
    def kind(self) -> str:
        """Of a fix: the kind that it counts as."""
        return diff_tags.kind_of(self.tags)


def facts_of(
    metadata: CommitMetadata,
    diffs: Sequence[FileDiff],
    dialect: Dialect,
    patches: Callable[[], Iterable[FileDiff]],
    *,
    is_fix: bool = False,
) -> ChangeFacts:
    """The facts of a commit. `diffs` need no patches; `patches` gives them, and is called only for a fix.

    `is_fix` makes it a fix regardless of its message, since it closed an issue.
    """
    source = [diff for diff in diffs if is_source(diff.filename)]
    lines = sum(diff.additions + diff.deletions for diff in source)
    message = Message(metadata.message, metadata.message_body, metadata.is_merge)
    purpose = "fix" if is_fix else purpose_of(message, dialect)
    tags: list[str] = []
    if purpose == "fix" and source:
        texts = [diff.patch[:MAX_SCANNED_BYTES] for diff in patches() if is_source(diff.filename)]
        manifest = any(is_manifest(diff.filename) for diff in diffs)
        tags = diff_tags.tags_of(texts, touches_manifest=manifest)
    return ChangeFacts(
        sha=metadata.hash,
        at=metadata.commit_timestamp_unix,
        purpose=purpose,
        files=len(source),
        lines=lines,
        with_tests=any(is_test_file(diff.filename) for diff in diffs),
        tags=tags,
    )
