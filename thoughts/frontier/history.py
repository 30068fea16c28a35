"""The runs of a repository as payoffs need them, and the jobs that wait for an order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from stores.engine.database import Database
from thoughts.areas import area_in
from thoughts.frontier.beliefs import MOST_BOOST, boosts
from thoughts.frontier.payoffs import Arm, Payoff, Ran
from thoughts.tables import RUNNING, WAITING

MOST_RUNS = 5000
"""That payoffs are made of, the newest first."""
MOST_WAITING = 5000
"""Jobs that get an order, the oldest first; more than that are never looked at before these are done."""


def runs_of(database: Database, repository: str) -> list[Ran]:
    """The newest runs that have ended, with what became of their insights."""
    jobs, runs, insights = (database.table(name) for name in ("jobs", "runs", "insights"))
    ended = sa.select(runs.c.id, runs.c.ended_at, runs.c.cost, jobs.c.kind, jobs.c.input)
    ended = ended.join(jobs, jobs.c.id == runs.c.job_id)
    ended = ended.where(jobs.c.repository == repository, runs.c.state != RUNNING, runs.c.ended_at.is_not(None))
    mine = insights.c.repository == repository
    latest = sa.select(sa.func.max(insights.c.marked_at)).where(mine).scalar_subquery()
    is_over = sa.and_(insights.c.state == "new", insights.c.at < latest)
    state = sa.case((is_over, "passed_over"), else_=insights.c.state).label("state")
    marks = sa.select(insights.c.run_id, state, sa.func.count().label("count")).where(mine)
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    with database.read() as connection:
        for row in connection.execute(marks.group_by(insights.c.run_id, state)).mappings():
            found[row["run_id"]][row["state"]] = row["count"]
        rows = connection.execute(ended.order_by(runs.c.id.desc()).limit(MOST_RUNS)).all()
    return [
        Ran(
            row.kind, area_in(row.input), row.ended_at, float(row.cost.get("cpu_s", 0.0)),
            sum(found[row.id].values()),
            *(found[row.id].get(name, 0) for name in ("kept", "read", "dismissed", "passed_over")),
        )
        for row in rows
    ]  # fmt: skip


def order_waiting(database: Database, repository: str, payoffs: Sequence[Payoff]) -> None:
    """Give the jobs that wait their boosts; without payoffs, take them away."""
    jobs = database.table("jobs")
    mine = (jobs.c.repository == repository) & (jobs.c.state == WAITING)
    query = sa.select(jobs.c.id, jobs.c.kind, jobs.c.input, jobs.c.boost).where(mine)
    with database.read() as connection:
        rows = connection.execute(query.order_by(jobs.c.created_at, jobs.c.id).limit(MOST_WAITING)).all()
    preparing = _preparing(database, repository) if payoffs else set()
    arms = {row.id: Arm(row.kind, area_in(row.input)) for row in rows}
    given = boosts((arm for arm in arms.values() if arm.kind not in preparing), payoffs)
    is_used = any(given.values())
    changed: defaultdict[float, list[int]] = defaultdict(list)
    for row in rows:
        boost = given.get(arms[row.id], MOST_BOOST * is_used)
        if boost != row.boost:
            changed[boost].append(row.id)
    if changed:
        with database.write() as connection:
            for boost, ids in changed.items():
                connection.execute(sa.update(jobs).where(mine, jobs.c.id.in_(ids)).values(boost=boost))


def _preparing(database: Database, repository: str) -> set[str]:
    """Kinds that leave facts and never an insight: others build on them, so they come first."""
    jobs, runs = database.table("jobs"), database.table("runs")
    facts, insights = database.table("facts"), database.table("insights")
    leaving = sa.select(facts.c.run_id).where(facts.c.repository == repository).distinct()
    query = sa.select(jobs.c.kind).join(runs, runs.c.job_id == jobs.c.id).where(runs.c.id.in_(leaving)).distinct()
    showing = sa.select(insights.c.kind).where(insights.c.repository == repository).distinct()
    with database.read() as connection:
        return set(connection.execute(query).scalars()) - set(connection.execute(showing).scalars())
