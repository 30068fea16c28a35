"""Records that stages exchange through files: declared here once, for writer and reader alike.

Readers ignore fields they do not know and refuse files of another major schema version.
"""

from __future__ import annotations

from typing import Literal

import msgspec

SCHEMA_VERSION = "1.0"

ChangeCategory = Literal["A", "M", "D", "R", "C", "T"]
"""git's status letter: added, modified, deleted, renamed, copied, type changed."""


class CommitMetadata(msgspec.Struct, kw_only=True):
    """Who, when and why. Times are UTC; `tz_offset` is the author's own, in minutes."""

    hash: str
    abbrev_hash: str
    tree: str
    parents: list[str]
    author: str
    author_email: str
    timestamp: str
    """Author date, ISO 8601 in UTC."""
    timestamp_unix: int
    tz_offset: int
    committer: str
    committer_email: str
    commit_timestamp: str
    commit_timestamp_unix: int
    message: str
    """First line of the message."""
    message_body: str
    """The rest, without the blank line between."""
    is_merge: bool
    files_changed: int
    insertions: int
    deletions: int
    branch_set: int
    """Index into the history's `branch_sets`: the branches that contain this commit."""
    encoding: str = "utf-8"
    """What author, committer and message were decoded from: "utf-8", or "latin-1" as the last resort."""


class FileDiff(msgspec.Struct, kw_only=True):
    """One file of a commit, against its first parent."""

    filename: str
    old_filename: str | None = None
    """Set where it differs: renames and copies."""
    change_type: ChangeCategory
    similarity: int | None = None
    """Percent, for renames and copies."""
    additions: int
    deletions: int
    patch: str
    """Unified diff from the first `@@` on; empty for binary files and pure renames or mode changes."""
    is_binary: bool
    patch_truncated: bool = False
    """The patch was cut at `max_patch_bytes`; additions and deletions are still those of the whole."""
    old_mode: str
    new_mode: str
    old_blob: str
    new_blob: str
    encoding: str = "utf-8"


class BranchRef(msgspec.Struct, kw_only=True):
    """A branch as seen from one commit."""

    branch_name: str
    is_current: bool
    is_remote: bool


class CommitContext(msgspec.Struct, kw_only=True):
    """Derived figures that readers ask for most."""

    is_merge: bool
    has_tags: bool
    file_count: int
    total_lines_changed: int


class Commit(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line of commits.json."""

    metadata: CommitMetadata
    diffs: list[FileDiff]
    tags: list[str]
    commit_number: int
    """Position in the file: 0 is the oldest; parents come before their children."""
    context: CommitContext
    branches: list[BranchRef] = []
    """Only with `expand_branches`; see `CommitMetadata.branch_set`."""


class DateRange(msgspec.Struct):
    """ISO 8601 in UTC; None in a history without commits."""

    first: str | None = None
    last: str | None = None


class HistoryMetadata(msgspec.Struct, kw_only=True):
    """The head of commits.json."""

    schema_version: str = SCHEMA_VERSION
    scrape_timestamp: str
    repository: str
    """As given: a path or a URL."""
    git_dir: str
    """Where the objects lie, for stages that read whole files."""
    refs: list[str]
    """Kinds of refs that were walked."""
    git_version: str
    is_shallow: bool
    total_commits: int
    total_authors: int
    merge_commits: int
    total_files_touched: int
    unique_branches: int
    branches: list[str]
    current_branch: str | None
    branch_sets: list[str]
    """Sets of branches, as hexadecimal bit masks over `branches`; `branch_names` reads them."""
    total_insertions: int
    total_deletions: int
    date_range: DateRange


def branch_names(branches: list[str], mask: int) -> list[str]:
    """The branches in a set: those whose bit is set. For a set of commits.json: `int(text, 16)`."""
    return [name for number, name in enumerate(branches) if mask >> number & 1]


class ChunkCommit(msgspec.Struct, kw_only=True):
    """What a chunk repeats of its commit."""

    author: str
    author_email: str
    timestamp: str
    timestamp_unix: int
    commit_timestamp: str
    """When it was committed: the order of the history, which author dates need not follow."""
    message: str
    message_body: str


LineRange = tuple[int, int]
"""First and last line, 1-based, both included."""


class Chunk(msgspec.Struct, kw_only=True):
    """One line of chunks.jsonl: what one commit did to one symbol, or to one file outside symbols."""

    schema_version: str = SCHEMA_VERSION
    chunk_id: str
    """`<commit hash>_<number within the commit>`."""
    commit_hash: str
    file_path: str
    old_path: str | None = None
    file_type: str
    """Extension without the dot, or the lower-case file name where there is none."""
    language: str
    change_type: str
    """One of `core.change_types.CHANGE_TYPES`."""
    change_category: ChangeCategory
    symbol_kind: str
    """A `core.languages.SYMBOL_KINDS` entry, "module" for code outside symbols, "file" where none are known."""
    function_name: str | None = None
    """Last part of the symbol's name, of whatever kind it is."""
    qualified_name: str | None = None
    module_path: str
    is_test: bool = False
    old_code: str
    new_code: str
    """The symbol's own lines before and after; for "module" and "file" chunks the removed and added lines."""
    patch: str
    line_range: LineRange | None = None
    """Span on the new side; None where nothing is left."""
    old_line_range: LineRange | None = None
    line_ranges: list[LineRange] = []
    """The lines of `new_code`, when they are several runs."""
    old_line_ranges: list[LineRange] = []
    additions: int
    deletions: int
    truncated: bool = False
    """Code or patch was cut at `max_code_bytes`, at a line end."""
    related_files: list[str] = []
    """Other files of the commit, at most 32."""
    commit_metadata: ChunkCommit
