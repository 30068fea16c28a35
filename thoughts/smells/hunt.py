"""The findings of a commit, with what the past of their rules says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.git.commands import decode
from core.git.main_line import edits_between
from thoughts.areas import is_below
from thoughts.sandbox.standing import best_tier
from thoughts.smells.findings import PAST_FILES, Finding, Looked, Tool, findings_at, tool_of
from thoughts.smells.uptake import Fates, Uptake, Window, changed_in, fates_of, uptake_of, windows

MOST_LISTED = 100
"""Findings of one rule in a log."""


@dataclass(frozen=True)
class Hunt:
    """What tools found, and what the rules were worth."""

    looked: Mapping[str, Looked]
    """Of each tool."""
    fresh: list[Finding]
    """Those in new lines."""
    uptake: Uptake
    fates: Mapping[tuple[str, Window], Fates]
    """What became of each tool's findings of earlier years, to be kept: it does not change any more."""
    area: str = ""
    """The folder that new findings are of, "" for all."""

    def below(self, area: str) -> Hunt:
        """The same with the new findings of an area alone."""
        return replace(self, fresh=[one for one in self.fresh if is_below(one.path, area)], area=area)

    def lines(self, shown: Sequence[Finding]) -> list[str]:
        """What was found in all, and some of it, as people read it."""
        said = [self._of_tool(name) for name in self.looked]
        for one in shown:
            said += ["", f"{one.path}:{one.first}: {one.message}", f"    {self.why(one.rule)}"]
        return said

    def lines_of(self, rule: str) -> list[str]:
        """All that one rule found in new lines, as people read it."""
        found = [one for one in self.fresh if one.rule == rule]
        said = [self._of_tool(tool_of(rule)), self.why(rule), ""]
        said += [f"{one.path}:{one.first}: {one.message}" for one in found[:MOST_LISTED]]
        return [*said, f"and {len(found) - MOST_LISTED:,} more"] if len(found) > MOST_LISTED else said

    def why(self, rule: str) -> str:
        """What the past of a rule says, with its name."""
        return f"{rule}: {self.past(rule)}"

    def past(self, rule: str) -> str:
        """What the past of a rule says."""
        known = self.uptake.rules.get(rule)
        if known is None:
            return "nothing of it was found in the past years"
        changed, chance = f"{known.changed:,} were changed within a year", f"by chance {known.chance:.1%} are"
        return f"of {known.found:,} in the past years, {changed} ({chance})"

    def _of_tool(self, name: str) -> str:
        looked = self.looked[name]
        fresh = sum(tool_of(one.rule) == name for one in self.fresh)
        said = [f"{name}: {len(looked.findings):,} findings in {len(looked.lines):,} files, {fresh:,} in new lines"]
        said[0] += f" below {self.area}" * bool(self.area)
        said += [f"{looked.left_out:,} files were not looked at"] if looked.left_out else []
        base = self.uptake.bases.get(name)
        said += ["there is no earlier year to learn from" if base is None else f"{base:.1%} of all lines change a year"]
        return "; ".join([*said, *looked.notes])


def hunt(
    git_dir: Path,
    tools: Sequence[Tool],
    commit: str,
    since: str,
    known: Callable[[Tool, Window], Fates | None] = lambda _, __: None,
) -> Hunt:
    """Look at the findings of a commit, in lines that `since` (a commit, or "") does not have.

    `known` gives what became of a tool's findings of a window where that was found out before. Tools run in a sandbox:
    raises UserError where none works here.
    """
    tier = best_tier()
    looked: dict[str, Looked] = {}
    fates: dict[tuple[str, Window], Fates] = {}
    for tool in tools:
        for one in windows(git_dir, commit):
            if (found := known(tool, one)) is None:
                past = findings_at(git_dir, one.old, tool, tier, PAST_FILES)
                found = fates_of(past, changed_in(git_dir, one, tool.suffixes))
            fates[tool.name, one] = found
        looked[tool.name] = findings_at(git_dir, commit, tool, tier)
    uptake = uptake_of({tool.name: [one for (name, _), one in fates.items() if name == tool.name] for tool in tools})
    fresh = [one for tool in tools for one in _fresh(git_dir, since, commit, tool, looked[tool.name])]
    return Hunt(looked, fresh, uptake, fates)


def _fresh(git_dir: Path, old: str, new: str, tool: Tool, looked: Looked) -> list[Finding]:
    """Findings in lines that the old commit does not have."""
    if not old:
        return looked.findings
    added: dict[str, set[int]] = {}
    for edit in edits_between(git_dir, old, new, [f"*{one}" for one in tool.suffixes]):
        path = decode(edit.new_path)[0]
        added[path] = {hunk.new_at + row for hunk in edit.hunks for row in range(len(hunk.added))}
    return [one for one in looked.findings if not added.get(one.path, set()).isdisjoint(range(one.first, one.last + 1))]
