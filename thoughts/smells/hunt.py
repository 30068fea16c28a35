"""The findings of a commit that are worth showing, with what the past of their rules says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.git.commands import decode
from core.git.main_line import edits_between
from thoughts.sandbox.standing import best_tier
from thoughts.smells.findings import Finding, Looked, Tool, findings_at, suffixes_of
from thoughts.smells.ruff import Ruff
from thoughts.smells.uptake import Fates, Uptake, Window, changed_in, fates_of, uptake_of, windows, worth_showing

TOOLS: tuple[Tool, ...] = (Ruff(),)


@dataclass(frozen=True)
class Hunt:
    """What was found, and what of it is worth showing."""

    looked: Looked
    fresh: list[Finding]
    """Those in new lines."""
    shown: list[Finding]
    uptake: Uptake
    fates: Mapping[Window, Fates]
    """What became of the findings of earlier years, to be kept: it does not change any more."""

    def lines(self) -> list[str]:
        """As people read it."""
        cut = "; the commit is too large, so some files were not looked at" if self.looked.is_cut_off else ""
        counted = f"{len(self.looked.findings):,} findings in {len(self.looked.lines):,} files"
        said = [f"{counted}, {len(self.fresh):,} in new lines{cut}; {self.uptake.base:.1%} of all lines change a year"]
        for one in self.shown:
            said += ["", f"{one.path}:{one.first}: {one.message}", f"    {self.why(one.rule)}"]
        return said

    def why(self, rule: str) -> str:
        """What the past of a rule says."""
        changed, found = self.uptake.counts[rule]
        return f"{rule}: of {found:,} in the past years, {changed:,} were changed within a year"


def hunt(
    git_dir: Path, commit: str, since: str, most: int, known: Callable[[Window], Fates | None] = lambda _: None
) -> Hunt:
    """Look at the findings of a commit, in lines that `since` (a commit, or "") does not have.

    `known` gives what became of a window's findings where that was found out before. Tools run in a sandbox: raises
    UserError where none works here.
    """
    tier = best_tier()
    fates: dict[Window, Fates] = {}
    for one in windows(git_dir, commit):
        if (found := known(one)) is None:
            looked = findings_at(git_dir, one.old, TOOLS, tier)
            found = fates_of(looked, changed_in(git_dir, one, suffixes_of(TOOLS)))
        fates[one] = found
    uptake = uptake_of(list(fates.values()))
    looked = findings_at(git_dir, commit, TOOLS, tier)
    fresh = _in_new_lines(git_dir, since, commit, looked.findings) if since else looked.findings
    return Hunt(looked, fresh, worth_showing(fresh, uptake, most), uptake, fates)


def _in_new_lines(git_dir: Path, old: str, new: str, findings: Sequence[Finding]) -> list[Finding]:
    added: dict[str, set[int]] = {}
    for edit in edits_between(git_dir, old, new, [f"*{one}" for one in suffixes_of(TOOLS)]):
        path = decode(edit.new_path)[0]
        added[path] = {hunk.new_at + row for hunk in edit.hunks for row in range(len(hunk.added))}
    return [one for one in findings if not added.get(one.path, set()).isdisjoint(range(one.first, one.last + 1))]
