"""Which commits teach something: those that repair, and those that add; by message, closed issues and size."""

from __future__ import annotations

from core.chunking.intents import intent_of
from core.code.test_files import is_test_file
from core.history.messages import CONVENTIONAL_LABEL
from core.records.commits import Commit, CommitMetadata
from miners.signals.change_facts import is_source
from miners.signals.dialects import Dialect, Message, purpose_of

MOST_FILES, MOST_LINES = 10, 400
"""Source files, and added and removed lines of them, above which a commit does more than one thing."""


def problem_type_of(metadata: CommitMetadata, dialect: Dialect) -> str:
    """One of `PROBLEM_TYPES`, or "" for neither.

    The whole message counts. A label in front of the subject has the last word, but for a commit that takes another
    one back.
    """
    if metadata.is_revert:
        return "bug_fix"
    purpose = purpose_of(Message(metadata.message, metadata.message_body), dialect)
    if purpose == "fix":
        return "bug_fix"
    if purpose == "feature":
        return "feature_addition"
    if CONVENTIONAL_LABEL.match(metadata.message) and dialect == "conventional":
        return ""
    closes = metadata.trailers.get("Fixes")
    return "bug_fix" if closes or (not purpose and intent_of(metadata.message_body) == "fix") else ""


def left_out(commit: Commit) -> str:
    """Why nothing is taken from a commit, "" if something may be."""
    source = [diff for diff in commit.diffs if is_source(diff.filename)]
    if not source:
        return "commits without source code"
    if commit.metadata.is_merge:
        return "merges"
    if commit.metadata.is_bot:
        return "commits of bots"
    if commit.duplicate_of:
        return "commits that make a change again"
    if len(source) > MOST_FILES or sum(diff.additions + diff.deletions for diff in source) > MOST_LINES:
        return "commits that change too much at once"
    return ""


def test_files_of(commit: Commit) -> list[str]:
    """Tests that it changes."""
    return [diff.filename for diff in commit.diffs if is_test_file(diff.filename)]
