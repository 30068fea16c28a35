"""What a history teaches of changes: how large they are, what kinds of fixes there are, what is taken back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from core.records.commits import CommitMetadata, FileDiff
from core.records.mined import ClosedIssue
from core.text.redaction import Redactor
from miners.commit_filters import CommitFilters
from miners.signals.change_facts import ChangeFacts, facts_of
from miners.signals.dialects import Dialect
from miners.signals.error_texts import errors_in
from stores.agent.records import Evidence, Observation

NOTE_CHARACTERS = 160
_ABBREVIATED = 7
_ISSUE_NOTE = re.compile(r"#\d+: ")


class Reverts:
    """Commits that a later one says it takes back."""

    def __init__(self, named: Iterable[tuple[str, str]] = ()) -> None:
        """`named`: (the commit that is taken back, possibly abbreviated; the one that says so)."""
        self._by_start: dict[str, list[tuple[str, str]]] = {}
        for sha, by in named:
            self._by_start.setdefault(sha[:_ABBREVIATED], []).append((sha, by))

    def of(self, sha: str) -> str:
        """The commit that takes this one back, "" where none does."""
        named = self._by_start.get(sha[:_ABBREVIATED], ())
        return next((by for start, by in named if sha.startswith(start)), "")

    def corrected(self, piece: Evidence) -> Evidence:
        """A piece of evidence from an earlier run, which a newer commit may have taken back since."""
        if piece.context_type != "reverted":
            return piece
        return _reverted(piece.option, piece.repository, piece.sha, piece.at, self.of(piece.sha))


class CommitMiner:
    """Evidence of one repository's commits, one commit at a time."""

    def __init__(self, repository: str, dialect: Dialect, filters: CommitFilters, reverts: Reverts) -> None:
        self._repository, self._dialect, self._filters, self._reverts = repository, dialect, filters, reverts
        self._rules = {name: [re.compile(one, re.IGNORECASE) for one in some] for name, some in filters.rules.items()}
        self._redactor = Redactor()
        self.counts: Counter[str] = Counter()
        """What was seen, and by which rule."""
        self.drops: Counter[str] = Counter()
        """What was left out, by reason."""

    def evidence_of(
        self, metadata: CommitMetadata, diffs: Sequence[FileDiff], patches: Callable[[], Iterable[FileDiff]]
    ) -> Iterator[Evidence]:
        """What a commit shows. `diffs` need no patches; `patches` has them, and is called only for a fix."""
        self.counts["commits"] += 1
        if reason := self._excluded(metadata):
            self.drops[reason] += 1
            return
        facts = facts_of(metadata, diffs, self._dialect, patches)
        if reason := self._unfit(metadata, facts):
            self.drops[reason] += 1
            return
        self.counts["changes"] += 1
        yield from self._of_change(facts)
        if facts.purpose == "fix":
            self.counts[f"fixes, told by {self._dialect}"] += 1
            yield from self._of_fix(facts, metadata)

    def _excluded(self, metadata: CommitMetadata) -> str | None:
        if metadata.is_bot and self._filters.exclude_bot_commits:
            return "commits by bots"
        if metadata.is_merge and self._filters.exclude_merge_commits:
            return "merge commits"
        if metadata.is_revert:
            return "commits that take others back"
        return None

    def _unfit(self, metadata: CommitMetadata, facts: ChangeFacts) -> str | None:
        if metadata.is_merge and facts.purpose != "fix":  # what it merges is looked at by itself
            return "merge commits that are no fixes"
        if not facts.files:
            return "commits without source files"
        if facts.lines < self._filters.min_diff_lines:
            return "commits below min_diff_lines"
        if facts.lines > self._filters.max_diff_lines:
            return "commits above max_diff_lines"
        if not facts.purpose and self._filters.require_message_pattern:
            return "commits whose message does not tell what they are for"
        return None

    def _of_change(self, facts: ChangeFacts) -> Iterator[Evidence]:
        purpose = facts.purpose or "other"
        size: Observation = {"files": facts.files, "with_tests": _yes(facts.with_tests)}
        yield self._piece("file_context", purpose, facts, size)
        yield _reverted(purpose, self._repository, facts.sha, facts.at, self._reverts.of(facts.sha))

    def _of_fix(self, facts: ChangeFacts, metadata: CommitMetadata) -> Iterator[Evidence]:
        size: Observation = {"files": facts.files, "lines": facts.lines, "with_tests": _yes(facts.with_tests)}
        yield self._piece("repair_strategy", facts.kind, facts, size)
        yield self._piece("fix_kind", "*", facts, {"kind": facts.kind})
        text = f"{metadata.message}\n{metadata.message_body}"
        for rule, patterns in self._rules.items():
            hit = any(pattern.search(text) for pattern in patterns)
            self.counts[f"fixes that rule {rule} finds"] += hit
            yield self._piece("message_rule", rule, facts, {"hit": _yes(hit)})
        for error in errors_in(text):
            self.counts["fixes that name an error"] += 1
            yield from remedies(error, self._repository, facts, self.note(metadata.message))

    def evidence_of_issue(
        self,
        issue: ClosedIssue,
        metadata: CommitMetadata,
        diffs: Sequence[FileDiff],
        patches: Callable[[], Iterable[FileDiff]],
    ) -> Iterator[Evidence]:
        """What the commit that closed an issue says of the errors that the issue names."""
        facts = facts_of(metadata, diffs, self._dialect, patches, is_fix=True)
        if self._excluded(metadata) or self._unfit(metadata, facts):
            self.drops["issues closed by commits that teach nothing"] += 1
            return
        self.counts["issues with a remedy"] += 1
        for error in issue.errors:
            yield from remedies(error, self._repository, facts, self.note(f"#{issue.number}: {issue.title}"))

    def note(self, text: str) -> str:
        """Words of a message, short and without credentials."""
        return "".join(map(str, self._redactor.clean(" ".join(text.split())[:NOTE_CHARACTERS])))

    def _piece(self, context_type: str, option: str, facts: ChangeFacts, outcome: Observation) -> Evidence:
        return Evidence(
            context_type=context_type,
            option=option,
            repository=self._repository,
            sha=facts.sha,
            at=facts.at,
            outcome=outcome,
        )


def remedies(error: str, repository: str, facts: ChangeFacts, note: str) -> Iterator[Evidence]:
    """A fix that ended an error, for who looks for what helps and for who looks for what does not."""
    for context_type in ("error_remedy", "strategy_mismatch"):
        yield Evidence(
            context_type=context_type,
            option=error,
            repository=repository,
            sha=facts.sha,
            at=facts.at,
            outcome={"kind": facts.kind},
            note=note,
        )


def is_of_issue(piece: Evidence) -> bool:
    """True for evidence that an issue gave: its note begins with the issue's number."""
    return _ISSUE_NOTE.match(piece.note) is not None


def _reverted(purpose: str, repository: str, sha: str, at: int, by: str) -> Evidence:
    return Evidence(
        context_type="reverted",
        option=purpose,
        repository=repository,
        sha=sha,
        at=at,
        outcome={"reverted": _yes(bool(by))},
        note=f"by {by}" if by else "",
    )


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
