"""commits.json: a head, then one commit a line."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from core.records import SCHEMA_VERSION

ChangeCategory = Literal["A", "M", "D", "R", "C", "T"]
"""git's status letter: added, modified, deleted, renamed, copied, type changed."""
BlobId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{40,64}$")]


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
    """What people and message were decoded from: "utf-8", else what the commit declares or they seem to be in, else
    "latin-1"."""
    encoding_guessed: bool | msgspec.UnsetType = msgspec.UNSET
    """True where the commit declares no encoding that fits, and its bytes spoke for one; else absent."""
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
    branch_set: Annotated[int, msgspec.Meta(ge=0)]
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
    old_blob: BlobId
    new_blob: BlobId
    encoding: str = "utf-8"
    """What the patch was decoded from: "utf-8", else "latin-1"."""
    wide_encoding: str | msgspec.UnsetType = msgspec.UNSET
    """Python's name of the encoding of a new side in UTF-16 or UTF-32, which git calls binary; the patch has it in
    UTF-8. Absent for all others."""
    old_wide_encoding: str | msgspec.UnsetType = msgspec.UNSET
    """The same of the old side."""


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
    """Where the objects are, for stages that read whole files."""
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
    detached_head: str | msgspec.UnsetType = msgspec.UNSET
    """The commit that is checked out, only where it is not by a branch."""
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


def main_branch(history: HistoryMetadata) -> str | None:
    """The branch whose history is the main line: the one checked out, or one with a usual name, or the first.

    None where there are no branches.
    """
    if history.current_branch in history.branches:
        return history.current_branch
    usual = (branch for name in MAIN_BRANCHES for branch in history.branches if _without_remote(branch) == name)
    return next(usual, next(iter(history.branches), None))


def on_main_line(history: HistoryMetadata) -> list[bool]:
    """For each of the `branch_sets`: whether the main branch is among them.

    Unlike `side_branches` this tells commits that only tags reach from those of the main branch, and a branch
    here from the one of the same name on a remote, which may be ahead. Where no set has the main branch, it was out
    of the scraper's scope, and every commit counts.
    """
    main = main_branch(history)
    bit = 0 if main is None else 1 << history.branches.index(main)
    found = [bool(int(text, 16) & bit) for text in history.branch_sets]
    return found if any(found) else [True] * len(found)


def _without_remote(branch: str) -> str:
    """The name that a branch of a remote ("remotes/origin/topic") has there."""
    return branch.split("/", 2)[-1] if branch.startswith("remotes/") else branch
