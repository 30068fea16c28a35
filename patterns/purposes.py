"""Which commits teach something: those that repair, and those that add; by message, closed issues and size."""

from __future__ import annotations

import re

from core.code.test_files import is_test_file
from core.history.messages import CLOSING, CONVENTIONAL_LABEL
from core.records.commits import Commit, CommitMetadata
from miners.signals.change_facts import is_source
from miners.signals.dialects import FEATURE, LABELS, Dialect, Message, purpose_of

MOST_FILES, MOST_LINES = 10, 400
"""Source files, and added and removed lines of them, above which a commit does more than one thing."""
MOST_SYMBOLS = 4
"""Changed symbols above which a repair is mixed with something else: of those read by eye, 12 of 32 were the repair."""
_ASIDE = re.compile(
    r"\b(?:typos?|spelling|typing|type[- ](?:annotations?|hints?|fix\w*|issues?|errors?|check\w*)|annotations?|variance"
    r"|mypy|pyright|clippy|lint\w*|rustfmt|fmt|flake8|ruff|pylint|black|isort|eslint|prettier|rubocop|spotless|reviews?"
    r"|dependenc(?:y|ies)|deps|bump\w*|deprecat\w*|restructur\w*|refactor\w*|clean(?:ed|ing)?[- ]?ups?)\b",
    re.IGNORECASE,
)
"""What is fixed in a commit whose subject has one of these is mostly not a mistake of the program."""
_NOT_TO = re.compile(
    r"(?i:\b(?:do(?:es)? not|do(?:es)?n't|no longer|should(?: not|n't)|prevent(?:s|ed|ing)?|never|fail(?:s|ed|ing)?)\b)"
    r"|\w(?:Error|Exception)\b"
)
"""What is not to happen any more."""


def problem_type_of(metadata: CommitMetadata, dialect: Dialect, merged_for: str = "") -> str:
    """One of `PROBLEM_TYPES`, or "" for neither.

    The first line decides where it says what the commit is for. Elsewhere it repairs something if it fixes an issue,
    if it says what is not to happen, or if the merge that brought it in repairs something (`merged_for`).
    """
    if metadata.is_revert:
        return "bug_fix"
    body = metadata.message_body if metadata.is_merge else ""
    subject = CLOSING.sub("", metadata.message)
    purpose = purpose_of(Message(subject, body, metadata.is_merge), dialect)
    if purpose == "feature":
        return "feature_addition"
    if purpose == "fix":
        return "" if _ASIDE.search(subject) else "bug_fix"
    label = CONVENTIONAL_LABEL.match(subject)
    says_other = (label and label["type"].lower() in LABELS) or FEATURE.match(subject) or _ASIDE.search(subject)
    says_so = _fixes_issue(metadata) or (not purpose and (_NOT_TO.search(body or subject) or merged_for == "bug_fix"))
    return "bug_fix" if says_so and not says_other else ""


def _fixes_issue(metadata: CommitMetadata) -> bool:
    """Whether the message says so; that it closes one is said of features, too."""
    if not metadata.trailers.get("Fixes"):
        return False
    found = CLOSING.finditer(f"{metadata.message}\n{metadata.message_body}")
    return any(not one[0].lower().startswith("close") for one in found)


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
