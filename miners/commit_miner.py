"""Evidence of commits: how large changes are, what kinds of fixes there are, what is reverted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from core.records.commits import CommitMetadata, FileDiff
from core.records.mined import ClosedIssue
from core.text.redaction import Redactor
from miners.settings import CommitFilters
from miners.signals.change_facts import ChangeFacts, facts_of
from miners.signals.dialects import Dialect
from miners.signals.error_texts import errors_in
from stores.agent.records import Evidence, Observation

NOTE_CHARACTERS = 160
_ABBREVIATED = 7
_ISSUE_NOTE = re.compile(r"#\d+: ")


class Reverts:
    """Commits that a later commit reverts, according to its message."""

    def __init__(self, named: Iterable[tuple[str, str]] = ()) -> None:
        """`named`: (reverted commit, perhaps abbreviated; commit that reverts it); the first one counts."""
        self._by_start: dict[str, list[tuple[str, str]]] = {}
        for sha, by in named:
            self._by_start.setdefault(sha[:_ABBREVIATED], []).append((sha, by))

    def of(self, sha: str) -> str:
        """The commit that reverts this one, "" where none does."""
        named = self._by_start.get(sha[:_ABBREVIATED], ())
        return next((by for start, by in named if sha.startswith(start)), "")

    def corrected(self, piece: Evidence) -> Evidence:
        """A piece of evidence from an earlier run, whose commit may have been reverted since."""
        if piece.context_type != "reverted":
            return piece
        outcome, note = _reverted(self.of(piece.sha))
        return msgspec.structs.replace(piece, outcome=outcome, note=note)


class CommitMiner:
    """Evidence of one repository's commits, one commit at a time."""

    def __init__(self, repository: str, dialect: Dialect, filters: CommitFilters, reverts: Reverts) -> None:
        self._repository, self._dialect, self._filters, self._reverts = repository, dialect, filters, reverts
        self._rules = {
            name: [re.compile(one, re.IGNORECASE) for one in some] for name, some in filters.commit_patterns.items()
        }
        self._redactor = Redactor()
        self.counts: Counter[str] = Counter()
        """What was seen."""
        self.drops: Counter[str] = Counter()
        """What was left out, by reason."""

    def evidence_of(
        self, metadata: CommitMetadata, diffs: Sequence[FileDiff], patches: Callable[[], Iterable[FileDiff]]
    ) -> Iterator[Evidence]:
        """The evidence of a commit. `diffs` need no patches; `patches` gives them, and is called only for a fix."""
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
            self.counts[f"fixes, found by {self._dialect}"] += 1
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
        if metadata.is_merge and facts.purpose != "fix":  # the commits it merges count themselves
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
        yield self._piece("reverted", purpose, facts, *_reverted(self._reverts.of(facts.sha)))

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
            # A subject such as "#12: crash" must not look like the note of an issue.
            marked = "message: " if _ISSUE_NOTE.match(metadata.message.lstrip()) else ""
            yield from self._remedies(error, facts, f"{marked}{metadata.message}")

    def evidence_of_issue(
        self,
        issue: ClosedIssue,
        metadata: CommitMetadata,
        diffs: Sequence[FileDiff],
        patches: Callable[[], Iterable[FileDiff]],
    ) -> Iterator[Evidence]:
        """The remedy, in the commit that closed an issue, of the errors that the issue names."""
        facts = facts_of(metadata, diffs, self._dialect, patches, is_fix=True)
        if self._excluded(metadata) or self._unfit(metadata, facts):
            self.drops["issues closed by commits that teach nothing"] += 1
            return
        self.counts["issues with a remedy"] += 1
        for error in issue.errors:
            yield from self._remedies(error, facts, f"#{issue.number}: {issue.title}")

    def note(self, text: str) -> str:
        """Words of a message, shortened and without credentials."""
        return self._redactor.masked(" ".join(text.split()), NOTE_CHARACTERS)

    def _remedies(self, error: str, facts: ChangeFacts, note: str) -> Iterator[Evidence]:
        """A fix that resolved an error, as evidence of what helps and of what does not."""
        for context_type in ("error_remedy", "strategy_mismatch"):
            yield self._piece(context_type, error, facts, {"kind": facts.kind}, self.note(note))

    def _piece(
        self, context_type: str, option: str, facts: ChangeFacts, outcome: Observation, note: str = ""
    ) -> Evidence:
        return Evidence(
            context_type=context_type,
            option=option,
            repository=self._repository,
            sha=facts.sha,
            at=facts.at,
            outcome=outcome,
            note=note,
        )


def is_of_issue(piece: Evidence) -> bool:
    """True for evidence from an issue: its note begins with the issue's number."""
    return _ISSUE_NOTE.match(piece.note) is not None


def _reverted(by: str) -> tuple[Observation, str]:
    """(outcome, note) of a commit that another one reverts; `by` is "" where none does."""
    return {"reverted": _yes(bool(by))}, f"by {by}" if by else ""


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
