"""What tools find in the code, of those rules alone that this repository's own history took seriously."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec

from chat.citations import SHORT, Citation, Citations
from chat.statements import Statement
from core.errors import GitloreError
from core.git import touched
from core.text.redaction import Redactor
from core.visible import visible
from thoughts import areas
from thoughts.kind import ON_COMMIT, Artifact, Context, Cost, Fact, Input, Insight, Kind, Outcome, State, absolute
from thoughts.smells.findings import Finding, Tool
from thoughts.smells.hunt import Hunt, hunt
from thoughts.smells.tools import DEFAULT, chosen
from thoughts.smells.uptake import Fates, Window, worth_showing
from thoughts.smells.verdicts import Verdicts, seen, title_of, verdicts_of

SHOWN = 10
LOG = "findings.txt"
"""What was found in all; the log of an insight is `findings-1.txt` and so on."""
FACT = "uptake"
"""What became of a tool's findings of a year; the scope names the tool, its version, and the two commits."""
_REDACTOR = Redactor()


class SmellHunt:
    """With every new commit, what is wrong with the lines that it brought; the first time, with all of them."""

    name = "smell_hunt"
    trigger = ON_COMMIT
    priority = 0.0

    def inputs(self, state: State) -> list[Input]:
        """What came since the last time; all where that is gone, as after a force push."""
        old, settings = state.known_before(), state.settings
        rules = [absolute(one) for one in settings.semgrep_rules]
        semgrep = absolute(settings.semgrep) if "/" in settings.semgrep else settings.semgrep
        asked = {"tools": list(settings.smell_tools), "rules": rules, "semgrep": semgrep}
        given = {"old": old, "new": state.commit, **asked}
        return areas.each(settings.areas, given) if old != state.commit else []

    def estimate(self, given: Input) -> Cost:
        """A large tree is read six times by each tool the first time of a month, and once afterwards."""
        return Cost(cpu_s=900, io_bytes=4_000_000_000, seconds=2_700)

    def run(self, given: Input, context: Context) -> Outcome:
        """Show at most ten findings, an insight for each rule; none where no rule counts here."""
        git_dir, old, new = context.state.git_dir, str(given["old"]), str(given["new"])
        if (area := areas.looked_at(given, new, context)) is None:
            return Outcome()
        tools, notes = chosen(given.get("tools", DEFAULT), given.get("rules", ()), given.get("semgrep", ""))
        past = {one.scope: one.value for one in context.facts(FACT)}

        def known(tool: Tool, window: Window) -> Fates | None:
            value = past.get(_scope(tool, window))
            return msgspec.convert(value, Fates) if value else None

        found = hunt(git_dir, tools, new, old, known).below(area)
        verdicts = verdicts_of(context.marked())
        with Citations(git_dir) as citations:
            choice = _Choice(new, verdicts, citations)
            shown = worth_showing(found.fresh, verdicts.weighed(found.uptake), SHOWN, choice.is_unwanted)
        for line in filter(None, [*notes, *found.lines(shown)]):
            context.say(visible(line))
        by_name = {tool.name: tool for tool in tools}
        facts = [
            Fact(FACT, _scope(by_name[name], window), msgspec.to_builtins(fates), window.new)
            for (name, window), fates in found.fates.items()
        ]
        return Outcome(*_insights(found, shown, choice, given, context.state.location), facts)


class _Choice:
    """Which findings may be shown, and what they are shown with."""

    def __init__(self, commit: str, verdicts: Verdicts, citations: Citations) -> None:
        self._commit, self._verdicts, self._citations = commit, verdicts, citations
        self.cited: dict[Finding, Citation] = {}

    def is_unwanted(self, finding: Finding) -> bool:
        """Whether a finding was dismissed while its lines were the same, nothing proves it, or its line is shown."""
        if any(finding[:3] == one[:3] for one in self.cited):
            return True
        found = self._citation(finding)
        if found is None or self._citations.problem(found) or seen(finding.rule, found) in self._verdicts.dismissed:
            return True
        self.cited[finding] = found
        return False

    def _citation(self, finding: Finding) -> Citation | None:
        """The finding's lines; where these hold a credential, the commit that brought them."""
        lines = self._citations.cite(finding.path, finding.first, finding.last, self._commit)
        if lines is None or not _REDACTOR.has_secret(lines.quote):
            return lines
        place = finding.path, finding.first, finding.last
        try:
            brought = touched.of_lines(self._citations.git_dir, self._commit, *place, timeout_s=5.0)[0]
        except (GitloreError, IndexError):
            return None
        return None if _REDACTOR.has_secret(brought.title) else self._citations.cite_commit(brought.hash, brought.title)

    def statement(self, finding: Finding) -> Statement:
        """A finding in words, with its lines."""
        cited = self.cited[finding]
        brought = "" if cited.path else f" Commit {cited.commit[:SHORT]} was the last to change it."
        return Statement(f"{finding.path}:{finding.first}: {finding.message}.{brought}", (cited,))


def _insights(
    found: Hunt, shown: Sequence[Finding], choice: _Choice, given: Input, location: str
) -> tuple[list[Insight], list[Artifact]]:
    insights, artifacts = [], [_artifact(LOG, found.lines(shown))]
    for number, rule in enumerate(dict.fromkeys(one.rule for one in shown), 1):
        some = [choice.statement(one) for one in shown if one.rule == rule]
        log = f"{Path(LOG).stem}-{number}.txt"
        artifacts.append(_artifact(log, found.lines_of(rule)))
        title = title_of(rule, len(some), found.past(rule))
        insights.append(Insight(title, tuple(some), _command(rule, given, location), log))
    return insights[::-1], artifacts  # what is kept last is shown first


def _artifact(name: str, lines: Sequence[str]) -> Artifact:
    return Artifact(name, "".join(f"{visible(line)}\n" for line in lines).encode())


def _command(rule: str, given: Input, location: str) -> str:
    words = ["python", "-m", "thoughts.smells", location, "--at", given["new"], "--rule", rule]
    words += ["--since", given["old"]] if given["old"] else []
    words += ["--below", area] if (area := areas.area_in(given)) else []
    if rule.startswith("semgrep "):
        words += [word for path in given["rules"] for word in ("--semgrep-rules", path)]
        words += ["--semgrep", given["semgrep"]] if given["semgrep"] else []
    return shlex.join(words)


def _scope(tool: Tool, window: Window) -> str:
    return f"{tool.name} {tool.version} {window.old}..{window.new}"


KIND: Kind = SmellHunt()
