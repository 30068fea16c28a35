"""Records that stages exchange through files: declared here once, for writer and reader alike.

Readers ignore fields they do not know and refuse files of another major schema version.
"""

from __future__ import annotations

from typing import Literal

import msgspec

SCHEMA_VERSION = "1.3"

ChangeCategory = Literal["A", "M", "D", "R", "C", "T"]
"""git's status letter: added, modified, deleted, renamed, copied, type changed."""


class CommitMetadata(msgspec.Struct, kw_only=True, gc=False):
    """Who, when and why. Times are UTC.

    `tz_offset` is the author's own distance from UTC, `commit_tz_offset` the committer's, in minutes.
    """

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
    commit_tz_offset: int = 0
    message: str
    """First line of the message."""
    message_body: str
    """The rest, without the blank line between."""
    encoding: str = "utf-8"
    """What people and message were decoded from: "utf-8", else what the commit declares, else "latin-1"."""
    trailers: dict[str, list[str]] = {}
    """Values by name ("Co-authored-by", …); "Fixes" and "Reverts" also where they stand in the text."""
    is_merge: bool
    is_bot: bool = False
    """The author is a known program."""
    is_revert: bool = False
    reverts: list[str] = []
    """Hashes of what is taken back, as the message has them."""
    cherry_pick_of: str | None = None
    """Hash of the commit that this one was picked from, as the message has it."""
    patch_id: str | None = None
    """The same for every commit that makes the same change: `git patch-id --stable` of the patch."""
    files_changed: int
    insertions: int
    deletions: int
    branch_set: int
    """Index into the history's `branch_sets`: the branches that contain this commit. The last key of its record."""


class FileDiff(msgspec.Struct, kw_only=True, gc=False):
    """One file of a commit, against its first parent."""

    filename: str
    """In UTF-8, else Latin-1 (`filename_encoding`)."""
    old_filename: str | None = None
    """Set where it differs: renames and copies."""
    filename_encoding: str = "utf-8"
    old_filename_encoding: str = "utf-8"
    change_type: ChangeCategory
    similarity: int | None = None
    """Percent, for renames and copies."""
    additions: int
    deletions: int
    patch: str
    """Unified diff from the first `@@` on; empty for binary files and pure renames or mode changes."""
    is_binary: bool
    patch_truncated: bool = False
    """The patch was cut at `max_patch_bytes`, or left out since the file is larger than `max_file_bytes`.

    Additions and deletions are still those of the whole.
    """
    missing: bool = False
    """The repository lacks an object that the patch needs: nothing is known of the lines."""
    old_mode: str
    new_mode: str
    old_blob: str
    new_blob: str
    encoding: str = "utf-8"
    """What the patch was decoded from: "utf-8", else "latin-1"."""


class BranchRef(msgspec.Struct, kw_only=True, gc=False):
    """A branch as seen from one commit."""

    branch_name: str
    is_current: bool
    is_remote: bool


class CommitContext(msgspec.Struct, kw_only=True, gc=False):
    """Derived figures that readers ask for most."""

    is_merge: bool
    has_tags: bool
    file_count: int
    total_lines_changed: int
    left_out: dict[str, int] = {}
    """File changes outside the scope that was asked for, by reason."""


class Commit(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line of commits.json."""

    metadata: CommitMetadata
    diffs: list[FileDiff]
    tags: list[str]
    commit_number: int
    """Position in the file: 0 is the oldest; parents come before their children."""
    context: CommitContext
    duplicate_of: str | None = None
    """Hash of the first commit in the file with the same `patch_id`, if that is another."""
    repository: str = ""
    """Its name, where the file holds the commits of several."""
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
    ref_tips: dict[str, str] = {}
    """Every ref in scope with the object it pointed at."""
    git_version: str
    is_shallow: bool
    shallow_commits: int = 0
    """Commits at which a shallow clone ends."""
    grafted_commits: int = 0
    """Commits whose parents info/grafts overrules."""
    is_partial: bool = False
    """The clone left objects at its server on purpose; they count as missing."""
    missing_file_changes: int = 0
    """File changes without a patch since an object is missing."""
    left_out: dict[str, int] = {}
    """Commits and file changes outside the scope that was asked for, by reason."""
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


MAIN_BRANCHES = ("main", "master", "trunk", "develop")
"""Names to look for where no branch is checked out."""


def side_branches(history: HistoryMetadata) -> list[str]:
    """For each of the `branch_sets`: the first of its branches, but "" where the main branch is among them.

    The main branch is the one checked out, here or on a remote; "" also for commits that no branch contains.
    """
    names = [_without_remote(name) for name in history.branches]
    main = history.current_branch or next((name for name in MAIN_BRANCHES if name in names), None)
    mains = sum(1 << number for number, name in enumerate(names) if name == main)
    found = []
    for text in history.branch_sets:
        mask = int(text, 16)
        found.append("" if not mask or mask & mains else names[(mask & -mask).bit_length() - 1])
    return found


def _without_remote(branch: str) -> str:
    """The name that a branch of a remote ("remotes/origin/topic") has there."""
    return branch.split("/", 2)[-1] if branch.startswith("remotes/") else branch


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
    branch: str = ""
    """A branch that contains it, where the main one does not (`side_branches`)."""


NO_COMMIT = ChunkCommit(
    author="",
    author_email="",
    timestamp="",
    timestamp_unix=0,
    commit_timestamp="",
    message="",
    message_body="",
)
"""Stands in until a chunk's commit is filled in."""

LineRange = tuple[int, int]
"""First and last line, 1-based, both included."""


class Chunk(msgspec.Struct, kw_only=True):
    """One line of chunks.jsonl: what one commit did to one symbol, or to one file outside symbols."""

    schema_version: str = SCHEMA_VERSION
    chunk_id: str
    """`<commit hash>_<number within the commit>`."""
    repository: str = ""
    """Its name, where the file holds the chunks of several."""
    commit_hash: str
    file_path: str
    old_path: str | None = None
    """Where the old side lies, if elsewhere: the file was renamed or copied, or the symbol moved between files."""
    file_type: str
    """Extension without the dot, or the lower-case file name where there is none."""
    language: str
    change_type: str
    """One of `core.code.change_types.CHANGE_TYPES`."""
    change_category: ChangeCategory
    change_evidence: list[str] = []
    """What the change type was decided from (`core.code.change_types.Evidence.names`)."""
    symbol_kind: str
    """A `core.code.languages.SYMBOL_KINDS` entry, "module" for code outside symbols, "file" where none are known."""
    function_name: str | None = None
    """Last part of the symbol's name, of whatever kind it is; None outside symbols."""
    qualified_name: str | None = None
    """Names from the outermost symbol of the file inwards."""
    old_qualified_name: str | None = None
    """That before the commit, where it was another."""
    parent: str | None = None
    """Qualified name of the symbol that this one lies in."""
    module_path: str
    signature: str = ""
    """Everything up to the body, in one line."""
    doc: str = ""
    """Doc comment or docstring, without comment marks."""
    is_test: bool = False
    old_code: str
    """The lines of `old_line_ranges`: of a symbol all of its own, outside symbols the removed ones."""
    new_code: str
    """The lines of `line_ranges`: of a symbol all of its own (not those of symbols inside it), else the added ones."""
    patch: str
    """The changed lines with the unchanged ones around them; in the code of a moved symbol, both files' hunks."""
    line_range: LineRange | None = None
    """Span of `new_code` in the new file; None where nothing is left."""
    old_line_range: LineRange | None = None
    line_ranges: list[LineRange] = []
    """The lines of `new_code`, where they are several runs; else they are `line_range`."""
    old_line_ranges: list[LineRange] = []
    definition_line: int | None = None
    """Line of the symbol's name, behind attributes and doc comments; on the old side for a removed symbol."""
    additions: int
    deletions: int
    match_score: float | None = None
    """How alike the symbol's two sides are, 0 to 1; 1 where name and kind are the same. None if it has but one."""
    renamed: bool = False
    moved: bool = False
    """It lies in another file or symbol, or elsewhere among its neighbours."""
    modified: bool = False
    """It was there before, and more than white space differs."""
    part: int = 1
    """Long code is cut into parts: the number of this one. The parts' code in a row is the whole code."""
    parts: int = 1
    part_of: str | None = None
    """`chunk_id` of the first part, on all others."""
    encoding: str = "utf-8"
    """What code and patch were decoded from: "utf-8", else "latin-1"."""
    related_files: list[str] = []
    """Other files of the commit, at most 32."""
    commit_metadata: ChunkCommit


class ClosedIssue(msgspec.Struct, kw_only=True):
    """An issue that names an error, and what closed it."""

    number: int
    title: str
    errors: list[str]
    """Types of the errors that it speaks of."""
    commits: list[str]
    """Commits that may have closed it, likeliest first; empty where only the history can tell."""
    updated_at: str
    """ISO 8601 in UTC."""


class MinedRepository(msgspec.Struct, kw_only=True):
    """One line of mined.jsonl: a repository beside the one at hand, and what GitHub knows of it."""

    schema_version: str = SCHEMA_VERSION
    location: str
    """Where its clone lies, or the URL that it is cloned from; without credentials."""
    full_name: str = ""
    """owner/name on GitHub; empty for a clone that only its folder is known of."""
    github_id: int | None = None
    stars: int | None = None
    licence: str = ""
    topics: list[str] = []
    issues: list[ClosedIssue] = []
    issues_until: str = ""
    """Latest change of an issue that was read."""
