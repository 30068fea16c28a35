"""How well the rules find fixes, measured where somebody else has said what is one.

BugsInPy (Widyasari et al. 2020) names commits that fix bugs of known projects: of these, recall. Repositories that
label their messages (Conventional Commits, gitmoji) say of every commit whether it is a fix: with the labels hidden
from the rules for words, precision and recall.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.git import commands
from miners import clones
from miners.clones import Clone
from miners.histories import cloned
from miners.signals.change_facts import is_source
from miners.signals.dialects import Dialect, Message, hidden, purpose_of

_FIXED = re.compile(r"^fixed_commit_id\s*=\s*\"?([0-9a-f]{40})", re.MULTILINE)


@dataclass
class Found:
    """Of the known fixes of one repository."""

    known: int = 0
    by_message: int = 0
    """Those whose message says so, by the repository's dialect."""
    in_source: int = 0
    """Those of them that change source files."""
    missed: list[str] = field(default_factory=list)


@dataclass
class Labelled:
    """Of the labelled commits of one repository that change source files."""

    fixes: int = 0
    found: int = 0
    right: int = 0

    @property
    def precision(self) -> float | None:
        """Share of what the words call a fix that is labelled one."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Share of what is labelled a fix that the words call one."""
        return self.right / self.fixes if self.fixes else None


def bugs_in_py(location: str, cache_dir: Path) -> frozenset[str]:
    """The commits that BugsInPy says fix a bug. Raises UserError where this is no clone of it."""
    git_dir = clones.open_clone(location, cache_dir).git_dir
    listing = commands.run(git_dir, "ls-tree", "-r", "HEAD", "--", "projects").decode(errors="replace")
    blobs = [line.split()[2] for line in listing.splitlines() if line.endswith("/bug.info")]
    if not blobs:
        raise UserError(f"{location} holds no bugs of BugsInPy", "name a clone of github.com/soarsmu/BugsInPy")
    text = commands.run(git_dir, "cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in blobs).encode())
    return frozenset(_FIXED.findall(text.decode(errors="replace").replace("\r", "")))


def measure(clone: Clone, dialect: Dialect, known: Iterable[str]) -> tuple[Found, Labelled]:
    """Go through a clone's history once; `known` are commits that fix a bug."""
    found, labelled, fixes = Found(), Labelled(), set(known)
    with cloned(clone) as history:
        for meta, diffs, _ in history.commits([message.sha for message in history.messages()]):
            message = Message(meta.message, meta.message_body, meta.is_merge)
            in_source = any(is_source(diff.filename) for diff in diffs)
            if meta.hash in fixes:
                _count(found, meta.hash, meta.message, purpose_of(message, dialect) == "fix", in_source)
            bare = hidden(message)
            if bare is not None and in_source and not meta.is_bot and not meta.is_merge:
                is_fix, said = purpose_of(message, dialect) == "fix", purpose_of(bare, "words") == "fix"
                labelled.fixes += is_fix
                labelled.found += said
                labelled.right += is_fix and said
    return found, labelled


def _count(found: Found, sha: str, subject: str, said: bool, in_source: bool) -> None:
    found.known += 1
    found.by_message += said
    found.in_source += said and in_source
    if not said:
        found.missed.append(f"{sha[:10]} {subject[:80]}")


def as_rows(measured: dict[str, tuple[Found, Labelled]]) -> Iterator[dict[str, Any]]:
    """One row for each repository, JSON-ready."""
    for name, (found, labelled) in measured.items():
        yield {
            "repository": name,
            "known fixes": found.known,
            "found by message": found.by_message,
            "found, with source files": found.in_source,
            "missed": found.missed,
            "labelled fixes": labelled.fixes,
            "precision of words": labelled.precision,
            "recall of words": labelled.recall,
        }
