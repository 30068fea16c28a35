"""Which files are likeliest to be repaired next, with the repairs that say so, and how good that order was before."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from pathlib import Path

from chat.citations import Citations
from core.errors import UserError
from core.git import trees
from core.visible import visible
from thoughts import areas
from thoughts.artifacts import place_of
from thoughts.kind import Artifact, Context, Cost, Fact, Input, Insight, Kind, Outcome, State, absolute
from thoughts.risk.coverage.covered import Coverage, merged
from thoughts.risk.coverage.formats import MOST_BYTES, Report, content, read
from thoughts.risk.statements import repaired
from thoughts.risk.table import RiskTable, RiskyFile, table_of

LOG = "risk.txt"
REPORTS = "coverage.json"
"""What was read of coverage reports, which themselves may be written again at any time."""
SHOWN = 5
MOST_LOGGED = 1_000
MOST_FACTS = 5_000


class Risk:
    """Every Monday morning, if there are new commits or coverage reports."""

    name = "risk"
    trigger = "0 5 * * 1"
    priority = 0.5

    def inputs(self, state: State) -> list[Input]:
        """The newest commit, of each area, and the coverage reports that settings name, as they are now."""
        reports = [[absolute(one), _digest(one)] for one in state.settings.coverage]
        if state.commit == state.before and not reports:
            return []
        given = {"commit": state.commit, **({"coverage": reports} if reports else {})}
        return areas.each(state.settings.areas, given)

    def estimate(self, given: Input) -> Cost:
        """One reading of the history, two of the tree, and one of each report."""
        reports = len(given.get("coverage", ()))
        return Cost(
            cpu_s=120 + 60 * reports, io_bytes=1_000_000_000 + MOST_BYTES * reports, seconds=300 + 120 * reports
        )

    def run(self, given: Input, context: Context) -> Outcome:
        """Rank all files; show those with the most that git can confirm."""
        commit = str(given["commit"])
        if (area := areas.looked_at(given, commit, context)) is None:
            return Outcome()
        table = table_of(context.state.git_dir, commit, _coverage(given, context))
        files, lines = table.below(area), [visible(line) for line in table.lines(MOST_LOGGED, area)]
        for line in lines[: 2 if table.coverage else 1]:
            context.say(line)
        with Citations(context.state.git_dir) as citations:
            asked = files[: 2 * SHOWN]
            said = [one for file in asked if (one := repaired(file, len(table.files), citations))]
        facts = [_fact(file, commit) for file in files[:MOST_FACTS]]
        if not said:
            return Outcome(facts=facts)
        words = ["python", "-m", "thoughts.risk", context.state.location, "--at", commit, "--top", str(MOST_LOGGED)]
        words += ["--below", area] if area else []
        artifacts = [Artifact(LOG, "".join(f"{line}\n" for line in lines).encode())]
        if table.coverage:
            artifacts.append(Artifact(REPORTS, table.coverage.as_kept()))
            words += ["--coverage", str(place_of(context.state.cache_dir, artifacts[-1].data))]
        insight = Insight(_title(table, area), tuple(said[:SHOWN]), shlex.join(words), LOG)
        return Outcome([insight], artifacts, facts)


def _digest(path: str) -> str:
    """What a report holds; "" where it cannot be read, which the job then says."""
    try:
        return hashlib.sha256(content(Path(absolute(path)))).hexdigest()
    except UserError:
        return ""


def _coverage(given: Input, context: Context) -> Coverage | None:
    """What the reports say that can be read; None without any."""
    if not given.get("coverage"):
        return None
    git_dir, commit = context.state.git_dir, str(given["commit"])
    found = merged(commit, _reports(given, context), trees.files_of(git_dir, commit))
    return found if found.reports else None


def _reports(given: Input, context: Context) -> Iterator[Report]:
    for path, _ in given["coverage"]:
        try:
            yield read(Path(path))
        except UserError as error:
            context.say(visible(error.message))


def _title(table: RiskTable, area: str) -> str:
    what = f"Files {f'below {area} ' * bool(area)}that are likeliest to be repaired next"
    if table.check is None:
        return f"{what}; this history is too short to say how good the order is"
    check = table.check
    when = f"{'of all files, ' * bool(area)}a fifth of the history ago"
    return f"{what} ({when}: AUC {check.auc:.2f}, lines of code alone {check.auc_of_lines:.2f})"


def _fact(file: RiskyFile, commit: str) -> Fact:
    facts = file.facts
    repairs = [one.hash for one in facts.repairs]
    value = {"score": round(file.score, 4), "above": round(file.above, 4), "lines": facts.lines, "repairs": repairs}
    value |= {"coverage": file.ran.as_dict()} if file.ran else {}
    return Fact("risk", facts.path, value, commit, facts.blob)


KIND: Kind = Risk()
