"""What tools find in the code, of those rules alone that this repository's own history took seriously."""

from __future__ import annotations

import shlex

import msgspec

from chat.citations import Citations
from chat.statements import Statement
from core.visible import visible
from thoughts.kind import ON_COMMIT, Artifact, Context, Cost, Fact, Input, Insight, Kind, Outcome, State
from thoughts.smells.findings import Finding
from thoughts.smells.hunt import Hunt, hunt
from thoughts.smells.uptake import Fates, Window

LOG = "findings.txt"
SHOWN = 10
FACT = "uptake"
"""What became of the findings of a year; the scope names its two commits."""


class SmellHunt:
    """With every new commit, what is wrong with the lines that it brought; the first time, with all of them."""

    name = "smell_hunt"
    trigger = ON_COMMIT
    priority = 0.0

    def inputs(self, state: State) -> list[Input]:
        """What came since the last time; all where that is gone, as after a force push."""
        old = state.known_before()
        return [{"old": old, "new": state.commit}] if old != state.commit else []

    def estimate(self, given: Input) -> Cost:
        """A large tree is read six times the first time of a month, and once afterwards."""
        return Cost(cpu_s=600, io_bytes=4_000_000_000, seconds=1_800)

    def run(self, given: Input, context: Context) -> Outcome:
        """Show at most ten findings; none where no rule counts here."""
        git_dir, old, new = context.state.git_dir, str(given["old"]), str(given["new"])
        known = {one.scope: msgspec.convert(one.value, Fates) for one in context.facts(FACT)}
        found = hunt(git_dir, new, old, SHOWN, lambda window: known.get(_scope(window)))
        lines = [visible(line) for line in found.lines()]
        context.say(lines[0])
        facts = [Fact(FACT, _scope(one), msgspec.to_builtins(fates), one.new) for one, fates in found.fates.items()]
        with Citations(git_dir) as citations:
            said = [one for finding in found.shown if (one := _statement(finding, found, new, citations))]
        if not said:
            return Outcome(facts=facts)
        since = f" --since {old}" if old else ""
        command = f"python -m thoughts.smells {shlex.quote(context.state.location)} --at {new}{since} --top {SHOWN}"
        title = f"{len(said)} {'findings' if len(said) > 1 else 'finding'} of rules that this repository acts upon"
        log = "".join(f"{line}\n" for line in lines).encode()
        return Outcome([Insight(title, tuple(said), command, LOG)], [Artifact(LOG, log)], facts)


def _scope(window: Window) -> str:
    return f"{window.old}..{window.new}"


def _statement(finding: Finding, found: Hunt, commit: str, citations: Citations) -> Statement | None:
    """A finding with its lines; None where these cannot be quoted, because they are blank for one."""
    cited = citations.cite(finding.path, finding.first, finding.last, commit)
    if cited is None or citations.problem(cited):
        return None
    place = f"{finding.path}:{finding.first}"
    return Statement(f"{place}: {finding.message} ({found.why(finding.rule)}).", (cited,))


KIND: Kind = SmellHunt()
