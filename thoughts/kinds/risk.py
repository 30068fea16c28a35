"""Which files are likeliest to be repaired next, with the repairs that say so, and how good that order was before."""

from __future__ import annotations

import shlex

from chat.citations import Citations
from core.visible import visible
from thoughts.kind import Artifact, Context, Cost, Fact, Input, Insight, Kind, Outcome, State
from thoughts.risk.statements import repaired
from thoughts.risk.table import RiskTable, RiskyFile, table_of

LOG = "risk.txt"
SHOWN = 5
MOST_LOGGED = 1_000
MOST_FACTS = 5_000


class Risk:
    """Every Monday morning, if there are new commits."""

    name = "risk"
    trigger = "0 5 * * 1"
    priority = 0.5

    def inputs(self, state: State) -> list[Input]:
        """The newest commit."""
        return [{"commit": state.commit}] if state.commit != state.before else []

    def estimate(self, given: Input) -> Cost:
        """One reading of the history and two of the tree."""
        return Cost(cpu_s=120, io_bytes=1_000_000_000, seconds=300)

    def run(self, given: Input, context: Context) -> Outcome:
        """Rank all files; show those with the most that git can confirm."""
        commit = str(given["commit"])
        table = table_of(context.state.git_dir, commit)
        lines = [visible(line) for line in table.lines(MOST_LOGGED)]
        context.say(lines[0])
        with Citations(context.state.git_dir) as citations:
            asked = table.files[: 2 * SHOWN]
            said = [one for file in asked if (one := repaired(file, len(table.files), citations))]
        facts = [_fact(file, commit) for file in table.files[:MOST_FACTS]]
        if not said:
            return Outcome(facts=facts)
        location = shlex.quote(context.state.location)
        command = f"python -m thoughts.risk {location} --at {commit} --top {MOST_LOGGED}"
        insight = Insight(_title(table), tuple(said[:SHOWN]), command, LOG)
        return Outcome([insight], [Artifact(LOG, "".join(f"{line}\n" for line in lines).encode())], facts)


def _title(table: RiskTable) -> str:
    if table.check is None:
        return "Files that are likeliest to be repaired next; this history is too short to say how good the order is"
    check = table.check
    return (
        "Files that are likeliest to be repaired next "
        f"(a fifth of the history ago: AUC {check.auc:.2f}, lines of code alone {check.auc_of_lines:.2f})"
    )


def _fact(file: RiskyFile, commit: str) -> Fact:
    facts = file.facts
    repairs = [one.hash for one in facts.repairs]
    value = {"score": round(file.score, 4), "above": round(file.above, 4), "lines": facts.lines, "repairs": repairs}
    return Fact("risk", facts.path, value, commit, facts.blob)


KIND: Kind = Risk()
