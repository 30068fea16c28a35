"""How well the rules find fixes, measured where fixes are known.

BugsInPy (Widyasari et al. 2020) lists commits that fix bugs of known projects: they give recall. Repositories that
label their messages (Conventional Commits, gitmoji) mark every commit as a fix or not: with the labels hidden, they
give precision and recall of the rules for words.
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
class KnownFixes:
    """The known fixes of one repository."""

    known: int = 0
    by_message: int = 0
    """Those whose message marks them as fixes, in the repository's dialect."""
    in_source: int = 0
    """Those of them that change source files."""
    missed: list[str] = field(default_factory=list)


@dataclass
class Labelled:
    """The labelled commits of one repository that change source files."""

    fixes: int = 0
    found: int = 0
    right: int = 0

    @property
    def precision(self) -> float | None:
        """Share of the commits classified as fixes by their words that are labelled as fixes."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Share of the commits labelled as fixes that are classified as fixes by their words."""
        return self.right / self.fixes if self.fixes else None


def bugs_in_py(location: str, cache_dir: Path) -> frozenset[str]:
    """The commits that fix a bug according to BugsInPy. Raises UserError if this is not a clone of it."""
    git_dir = clones.open_clone(location, cache_dir).git_dir
    listing = commands.run(git_dir, "ls-tree", "-r", "HEAD", "--", "projects").decode(errors="replace")
    blobs = [line.split()[2] for line in listing.splitlines() if line.endswith("/bug.info")]
    if not blobs:
        raise UserError(f"{location} holds no bugs of BugsInPy", "name a clone of github.com/soarsmu/BugsInPy")
    text = commands.run(git_dir, "cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in blobs).encode())
    return frozenset(_FIXED.findall(text.decode(errors="replace").replace("\r", "")))


def measure(clone: Clone, dialect: Dialect, known: Iterable[str]) -> tuple[KnownFixes, Labelled]:
    """Go through a clone's history once; `known` are commits that fix a bug."""
    found, labelled, fixes = KnownFixes(), Labelled(), set(known)
    with cloned(clone) as history:
        for meta, diffs, _ in history.commits([message.sha for message in history.messages()]):
            message = Message(meta.message, meta.message_body, meta.is_merge)
            in_source = any(is_source(diff.filename) for diff in diffs)
            if meta.hash in fixes:
                _count(found, meta.hash, meta.message, purpose_of(message, dialect) == "fix", in_source)
            bare = hidden(message)
            if bare is not None and in_source and not meta.is_bot and not meta.is_merge:
                is_fix, is_found = purpose_of(message, dialect) == "fix", purpose_of(bare, "words") == "fix"
                labelled.fixes += is_fix
                labelled.found += is_found
                labelled.right += is_fix and is_found
    return found, labelled


def _count(found: KnownFixes, sha: str, subject: str, is_found: bool, in_source: bool) -> None:
    found.known += 1
    found.by_message += is_found
    found.in_source += is_found and in_source
    if not is_found:
        found.missed.append(f"{sha[:10]} {subject[:80]}")


def as_rows(measured: dict[str, tuple[KnownFixes, Labelled]]) -> Iterator[dict[str, Any]]:
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
