"""What a study came to since a time: what is new, what no longer holds, what it cost, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice

import msgspec
import sqlalchemy as sa

from core.errors import UserError
from thoughts.budgets import DAY_S
from thoughts.insights import WANTED
from thoughts.kind import Cost
from thoughts.records import InsightRecord, StatusRecord, insight_record, status_record
from thoughts.studying import Study
from thoughts.tables import DONE, RUNNING

MOST_LOOKED_AT = 300
"""Insights, the newest first, of which a report knows whether they hold."""
KEPT_REPORTS = 100
_SPANS = {"h": 3600.0, "d": DAY_S, "w": 7 * DAY_S}


class KindCost(msgspec.Struct):
    """What the runs of a kind came to."""

    kind: str
    runs: int
    done: int
    cost: Cost


class Failure(msgspec.Struct):
    """Runs of a kind that did not come to an end, for one reason."""

    kind: str
    state: str
    reason: str
    count: int
    job: int
    """One of them."""


class Gone(msgspec.Struct):
    """An insight that held at the last report, and does not now."""

    id: int
    title: str
    why: str


class Report(msgspec.Struct):
    """What happened between two times."""

    since: datetime
    until: datetime
    status: StatusRecord
    new: list[InsightRecord]
    """That still hold, the newest first, without dismissed ones."""
    marked: dict[str, int]
    """How many insights were read, kept, or dismissed."""
    gone: list[Gone]
    costs: list[KindCost]
    """By kind, the dearest first."""
    failures: list[Failure]
    """The most frequent first."""


def reported(study: Study, since: float | None = None, *, keep: bool = False) -> Report:
    """What came since a time (seconds since 1970); else since the last report that was kept, else within a day.

    One that is to be kept is what the next one starts from.
    """
    now = study.queue.now()
    last_at, held_then = _last(study)
    begin = since if since is not None else last_at or now - DAY_S
    looked_at = list(islice(study.insights.looked_at(study.key, study.state.git_dir), MOST_LOOKED_AT))
    held = [one.id for one, why in looked_at if not why]
    gone = [Gone(one.id, one.title, why) for one, why in looked_at if why and one.id in held_then]
    new = [insight_record(one, study) for one, why in looked_at if not why and one.at > begin and one.state in WANTED]
    marked = Counter(one.state for one, _ in looked_at if one.marked_at is not None and one.marked_at > begin)
    costs, failures = _runs(study, begin)
    if keep:
        _keep(study, now, held)
    times = study.hours.now(begin), study.hours.now(now)
    return Report(*times, status_record(study), new, dict(marked), gone, costs, failures)


def begin_of(text: str, study: Study) -> float:
    """A time that somebody wrote: `12h`, `7d`, `2w`, `yesterday`, or a date. Raises UserError for anything else."""
    now = study.hours.now(study.queue.now())
    word = text.strip().lower()
    try:
        if word == "yesterday":
            return (now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)).timestamp()
        if word[-1:] in _SPANS and word[:-1].isdecimal():
            return (now - timedelta(seconds=int(word[:-1]) * _SPANS[word[-1]])).timestamp()
        date = datetime.fromisoformat(text.strip())
        return (date if date.tzinfo else date.replace(tzinfo=study.hours.zone)).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UserError(f"'{text}' is no time", "for example 12h, 7d, 2w, yesterday, or 2026-11-29") from None


def _last(study: Study) -> tuple[float | None, set[int]]:
    """When the last report was kept, and which insights held then."""
    table = study.database.table("reports")
    query = sa.select(table).where(table.c.repository == study.key).order_by(table.c.at.desc(), table.c.id.desc())
    with study.database.read() as connection:
        row = connection.execute(query.limit(1)).first()
    return (row.at, set(row.held)) if row else (None, set())


def _keep(study: Study, now: float, held: Sequence[int]) -> None:
    table = study.database.table("reports")
    newest = sa.select(table.c.id).where(table.c.repository == study.key).order_by(table.c.id.desc())
    with study.database.write() as connection:
        connection.execute(sa.insert(table).values(repository=study.key, at=now, held=list(held)))
        stay = list(connection.execute(newest.limit(KEPT_REPORTS)).scalars())
        connection.execute(sa.delete(table).where(table.c.repository == study.key, table.c.id.not_in(stay)))


def _runs(study: Study, begin: float) -> tuple[list[KindCost], list[Failure]]:
    """What the runs that ended since then cost by kind, and why they failed."""
    jobs, runs = study.database.table("jobs"), study.database.table("runs")
    query = sa.select(runs, jobs.c.kind).join(jobs, jobs.c.id == runs.c.job_id)
    query = query.where(jobs.c.repository == study.key, runs.c.ended_at > begin, runs.c.state != RUNNING)
    costs: dict[str, KindCost] = {}
    failures: dict[tuple[str, str, str], Failure] = {}
    with study.database.read() as connection:
        for row in connection.execute(query.order_by(runs.c.id)):
            one = costs.setdefault(row.kind, KindCost(row.kind, 0, 0, Cost()))
            one.runs, one.done = one.runs + 1, one.done + (row.state == DONE)
            one.cost = _sum(one.cost, msgspec.convert(row.cost, Cost))
            if row.state in ("failed", "lost"):
                key = row.kind, row.state, row.reason
                failures.setdefault(key, Failure(*key, 0, row.job_id)).count += 1
    by_cost = sorted(costs.values(), key=lambda one: (-one.cost.cpu_s, one.kind))
    return by_cost, sorted(failures.values(), key=lambda one: (-one.count, one.kind, one.reason))


def _sum(one: Cost, other: Cost) -> Cost:
    return Cost(*(getattr(one, name) + getattr(other, name) for name in Cost.__struct_fields__))
