"""Studies as JSON: what `study.py … --json` prints. Fields are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from chat.citations import Citation
from chat.statements import Statement
from thoughts.insights import Shown
from thoughts.kind import Cost
from thoughts.studying import Study
from thoughts.tables import RUNNING


class Source(msgspec.Struct):
    """A citation. Without a path, the quote is of the commit's message."""

    at: str
    """As it is shown, such as src/a.py:1-4@0123456ab."""
    commit: str
    quote: str
    path: str
    first: int
    last: int
    blob: str


class Said(msgspec.Struct):
    """A statement of an insight."""

    text: str
    citations: list[Source]


class InsightRecord(msgspec.Struct):
    """An insight that still holds. Times are in the study's time zone."""

    id: int
    kind: str
    state: str
    """new, read, kept or dismissed."""
    title: str
    at: datetime
    marked_at: datetime | None
    job: int
    run: int
    statements: list[Said]
    command: str
    """What makes the log again."""
    log: str
    """The file that holds the log."""


class JobRecord(msgspec.Struct):
    """A job."""

    id: int
    kind: str
    state: str
    """waiting, running, done, dead or cancelled."""
    input: dict[str, Any]
    priority: float
    boost: float
    attempts: int
    reason: str
    parent: int | None
    created_at: datetime
    run_at: datetime
    ended_at: datetime | None


class RunRecord(msgspec.Struct):
    """A run of a job."""

    id: int
    state: str
    """running, done, failed, lost, stopped or cancelled."""
    worker: str
    started_at: datetime
    ended_at: datetime | None
    cost: Cost | None
    reason: str
    log: str
    files: dict[str, str]
    """Where its artifacts are, by their names."""


class ShowRecord(msgspec.Struct):
    """A job with its runs, the last first, and what they found that still holds."""

    job: JobRecord
    runs: list[RunRecord]
    insights: list[InsightRecord]


class Left(msgspec.Struct):
    """What may be used now, of how much a day. Seconds, or bytes."""

    left: float
    cap: float


class KindRecord(msgspec.Struct):
    """When a kind is asked."""

    trigger: str
    """commit, or a cron expression."""
    next_at: datetime | None
    """By its schedule; null at the next commit, or where it was never asked."""


class StatusRecord(msgspec.Struct):
    """The state of a study."""

    repository: str
    on: bool
    off_by: str
    """Which switch is off: here, everywhere, or none."""
    quiet_until: datetime | None
    waiting: int
    running: int
    budget: dict[str, Left]
    kinds: dict[str, KindRecord]


def insight_record(one: Shown, study: Study) -> InsightRecord:
    """An insight."""
    statements = [said(each) for each in one.statements]
    log = str(study.artifacts.path(one.log))
    at, marked = _time(one.at, study), _maybe(one.marked_at, study)
    return InsightRecord(
        one.id, one.kind, one.state, one.title, at, marked, one.job_id, one.run_id, statements, one.command, log
    )


def said(one: Statement) -> Said:
    """A statement with its citations."""
    return Said(one.text, [_source(cited) for cited in one.citations])


def job_record(row: Mapping[str, Any], study: Study) -> JobRecord:
    """A job, from its row."""
    same = ("id", "kind", "state", "input", "priority", "boost", "attempts", "reason", "parent")
    times = {name: _maybe(row[name], study) for name in ("created_at", "run_at", "ended_at")}
    return msgspec.convert({name: row[name] for name in same} | times, JobRecord)


def show_record(study: Study, job_id: int) -> ShowRecord:
    """A job with all that is known of it. Raises UserError where there is no such job."""
    job = job_record(study.job(job_id), study)
    rows = study.runs(job_id)
    found = [one for row in rows for one in study.insights.shown(study.key, study.state.git_dir, run_id=row["id"])]
    return ShowRecord(job, [_run(row, study) for row in rows], [insight_record(one, study) for one in found])


def status_record(study: Study) -> StatusRecord:
    """Whether it is on, what waits and runs, what is left of the budget, when each kind is asked."""
    now, off = study.queue.now(), study.queue.switches.off_by(study.key)
    times = study.triggers.next_times()
    kinds = {name: KindRecord(study.triggers.of(name), _maybe(times[name] or None, study)) for name in study.kinds}
    budget = {name: Left(level, cap) for name, (level, cap) in study.left().items()}
    quiet = _maybe(study.hours.quiet_until(now), study)
    location, waiting, running = study.state.location, study.waiting(), study.waiting(RUNNING)
    return StatusRecord(location, not off, off, quiet, waiting, running, budget, kinds)


def in_json(value: Any) -> str:
    """JSON to be read by people, too."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _run(row: Mapping[str, Any], study: Study) -> RunRecord:
    cost = msgspec.convert(row["cost"], Cost) if row["cost"] else None
    files = {name: str(study.artifacts.path(sha256)) for name, sha256 in row["artifacts"].items()}
    started, ended = _time(row["started_at"], study), _maybe(row["ended_at"], study)
    return RunRecord(row["id"], row["state"], row["worker"], started, ended, cost, row["reason"], row["log"], files)


def _source(one: Citation) -> Source:
    return Source(str(one), one.commit, one.quote, one.path, one.first, one.last, one.blob)


def _time(seconds: float, study: Study) -> datetime:
    return study.hours.now(seconds)


def _maybe(seconds: float | None, study: Study) -> datetime | None:
    return None if seconds is None else _time(seconds, study)
