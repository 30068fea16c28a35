"""Studies in words: jobs, runs, insights, budgets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from core.visible import visible
from thoughts.artifacts import Artifacts
from thoughts.insights import Shown
from thoughts.studying import Due, Study
from thoughts.switches import EVERYWHERE, HERE
from thoughts.tables import DEAD, RUNNING, WAITING
from thoughts.worker import Done

UNITS = {"cpu_s": ("minutes of CPU time", 60.0), "io_bytes": ("GB of I/O", 1e9), "model_s": ("model minutes", 60.0)}
MOST_INPUT = 60
"""Characters of a job's input in a list."""
_HASH = re.compile("[0-9a-f]{40,64}")


def insight_lines(one: Shown) -> list[str]:
    """An insight with what proves it."""
    said = [f"  - {said.text} [{', '.join(map(str, said.citations))}]" for said in one.statements]
    mark = "" if one.state == "new" else f" ({one.state})"
    return [f"[{one.id}] {one.title}{mark}", *said, f"  proof: study.py show {one.job_id}"]


def insights_lines(study: Study, **wanted: Any) -> list[str]:
    """Insights that still hold, as `Insights.shown` chooses them."""
    found = study.insights.shown(study.key, study.state.git_dir, **wanted)
    return [line for one in found for line in insight_lines(one)]


def jobs_lines(jobs: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> list[str]:
    """Jobs, a line each."""
    return [job_line(job, zone) for job in jobs]


def job_lines(study: Study, job_id: int) -> list[str]:
    """A job with its runs, and what proves what they found. Raises UserError where there is no such job."""
    lines = [job_line(study.job(job_id), study.hours.zone)]
    for run in study.runs(job_id):
        lines += run_lines(run, study.artifacts, study.hours.zone)
        for one in study.insights.shown(study.key, study.state.git_dir, run_id=run["id"]):
            lines += [*insight_lines(one)[:-1], f"  again: {one.command}"]
    return lines


def due_lines(due: Sequence[Due]) -> list[str]:
    """What a study would begin with."""
    if not due:
        return ["nothing new to study"]
    return [f"{one.kind.name} of {input_words(one.input)}: at most {one.most.cpu_s:,.0f} s of CPU time" for one in due]


def job_line(job: Mapping[str, Any], zone: ZoneInfo) -> str:
    """A job in a list: number, state, kind, input, and what is to be known of its state."""
    line = f"{job['id']:>5}  {job['state']:<9}  {job['kind']} of {input_words(job['input'])}"
    if job["state"] == WAITING and job["attempts"]:
        line += f"; tried {job['attempts']} times, again at {_time(job['run_at'], zone)}"
    if job["state"] in (DEAD, WAITING) and job["reason"]:
        line += f": {job['reason']}"
    return line


def run_lines(run: Mapping[str, Any], artifacts: Artifacts, zone: ZoneInfo) -> list[str]:
    """A run of a job: when, how it ended, what it cost, its log and its files."""
    cost = run["cost"]
    used = f"; {cost['cpu_s']:,.1f} s of CPU time, {cost['io_bytes'] / 1e6:,.1f} MB of I/O" if cost else ""
    ending = "runs since then" if run["state"] == RUNNING else f"{run['state']} at {_time(run['ended_at'], zone)}"
    lines = [f"run {run['id']} by {run['worker']} at {_time(run['started_at'], zone)}, {ending}{used}"]
    lines += [f"  why: {run['reason']}"] if run["reason"] else []
    lines += [f"  | {line}" for line in run["log"].splitlines()]
    return lines + [f"  {name}: {artifacts.path(sha256)}" for name, sha256 in run["artifacts"].items()]


def titles(one: Done, study: Study) -> list[str]:
    """What a job has found, a line each, to be shown while others go on."""
    if not one.insights:
        return []
    found = study.insights.shown(study.key, study.state.git_dir, run_id=one.job.run_id)
    return [visible(f"{one.job.kind}: {each.title}") for each in found]


def summary_lines(done: Sequence[Done], study: Study) -> list[str]:
    """What a study came to."""
    if not done and (off := study.queue.switches.off_by(study.key)):
        everywhere = off == EVERYWHERE
        what = "of all repositories" if everywhere else "of this repository"
        return [f"the study {what} is switched off; study.py on{' --everywhere' * everywhere} lets it go on"]
    waiting = study.waiting()
    states = Counter(one.state for one in done)
    counts = ", ".join(f"{count} {state}" for state, count in states.items()) or "nothing was to be done"
    cpu = sum(one.cost.cpu_s for one in done)
    waits = f"; {waiting:,} {'waits' if waiting == 1 else 'wait'}" if waiting else ""
    lines = [f"{counts}, in {cpu:,.1f} s of CPU time{waits}"]
    lines += [f"  {one.job.kind}, job {one.job.id}: {one.reason}" for one in done if one.reason]
    return [*lines, f"left of the budget: {budget_words(study.left())}"]


def budget_words(left: Mapping[str, tuple[float, float]]) -> str:
    """What may be used now, of how much; resources that are not used at all are left out."""
    found = []
    for name, (level, cap) in left.items():
        words, unit = UNITS[name]
        if cap:
            found.append(f"{level / unit:,.1f} of {cap / unit:,.0f} {words}")
    return ", ".join(found) or "nothing"


def switch_words(off_by: str) -> str:
    """Whether a repository is studied, and if not, which switch is off."""
    return {"": "on", HERE: "off"}.get(off_by, "off, as all repositories are")


def status_lines(study: Study) -> list[str]:
    """Whether a repository is studied, what waits, what is left of the budget, and when kinds are asked."""
    now, zone = study.queue.now(), study.hours.zone
    quiet = study.hours.quiet_until(now)
    lines = [f"{study.state.location}: {switch_words(study.queue.switches.off_by(study.key))}"]
    lines += [f"quiet until {_time(quiet, zone)} {zone.key}"] if quiet else []
    lines += [f"jobs that wait: {study.waiting():,}", f"left of the budget: {budget_words(study.left())}"]
    for name, at in study.triggers.next_times().items():
        when = "at the next commit" if at is None else f"at {_time(at, zone)}" if at > now else "now"
        lines.append(f"  {name}: {when}")
    return lines


def counted(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def input_words(given: Mapping[str, Any]) -> str:
    """What a job is about, short enough for a list."""
    text = ", ".join(f"{name} {_word(value)}" for name, value in sorted(given.items()) if value not in ("", []))
    return text if len(text) <= MOST_INPUT else f"{text[:MOST_INPUT]}…"


def _word(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_word, value))
    if isinstance(value, str):
        return value[:9] if _HASH.fullmatch(value) else value
    return msgspec.json.encode(value).decode()


def _time(seconds: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d %H:%M:%S}"
