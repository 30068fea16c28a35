"""Runs and marks as the database has them, and what they make of the jobs that wait; on either database."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from stores.engine.database import Database
from thoughts.frontier.history import order_waiting, runs_of
from thoughts.frontier.payoffs import Arm, Ran, payoffs_of
from thoughts.kind import Cost
from thoughts.queue import Queue

R = "r1"
MOST = Cost(cpu_s=60, seconds=60)


@pytest.fixture
def queue(database: Database) -> Queue:
    return Queue(database, "w", clock=lambda: 1000.0)


def add(queue: Queue, kind: str, **given: Any) -> int:
    with queue.database.write() as connection:
        number = queue.add(connection, R, kind, given, MOST)
    assert number
    return number


def run(
    queue: Queue, kind: str, states: tuple[str, ...] = (), *, marked_at: float | None = 900.0, **given: Any
) -> None:
    """A run of a kind that found insights which are in these states now."""
    add(queue, kind, **given)
    job = queue.claim(R, [kind])
    assert job
    queue.finish(job, Cost(cpu_s=30), "")
    insights = queue.database.table("insights")
    with queue.database.write() as connection:
        for number, state in enumerate(states):
            row = {
                "repository": R, "run_id": job.run_id, "kind": kind, "digest": f"{job.id} {number}", "title": "t",
                "command": "c", "log": "l", "statements": [], "state": state, "at": 500.0,
                "marked_at": None if state == "new" else marked_at,
            }  # fmt: skip
            connection.execute(sa.insert(insights).values(**row))


def test_runs_come_with_what_became_of_their_insights(queue: Queue) -> None:
    run(queue, "risk", ("kept", "read", "new"), path="src/core")
    run(queue, "digest")
    assert runs_of(queue.database, R) == [
        Ran("digest", "", 1000.0, 30.0),
        Ran("risk", "src/core", 1000.0, 30.0, found=3, kept=1, read=1, passed_over=1),
    ]
    assert runs_of(queue.database, "another") == []


def test_what_is_new_counts_only_once_something_later_was_marked(queue: Queue) -> None:
    run(queue, "risk", ("new", "kept"), marked_at=400.0)
    assert [one.passed_over for one in runs_of(queue.database, R)] == [0]


def boosted(queue: Queue) -> dict[int, float]:
    jobs = queue.database.table("jobs")
    with queue.database.read() as connection:
        return {row.id: row.boost for row in connection.execute(sa.select(jobs.c.id, jobs.c.boost))}


def test_jobs_of_useful_arms_come_first_and_those_that_others_build_on_before_them(queue: Queue) -> None:
    run(queue, "good", ("kept", "kept"), path="src/core")
    run(queue, "bad", ("dismissed", "dismissed"))
    run(queue, "facts")
    with queue.database.write() as connection:
        facts, runs = queue.database.table("facts"), queue.database.table("runs")
        latest = connection.execute(sa.select(sa.func.max(runs.c.id))).scalar_one()
        row = {"repository": R, "name": "f", "scope": "", "value": {"value": 1}, "commit": "", "blob": ""}
        connection.execute(sa.insert(facts).values(run_id=latest, **row))
    bad, good, other = (
        add(queue, "bad", n=2),
        add(queue, "good", path="src/core", n=2),
        add(queue, "good", path="src/web"),
    )
    prepares = add(queue, "facts", n=2)
    payoffs = payoffs_of(runs_of(queue.database, R), 1000.0)
    assert {Arm(one.kind, one.area) for one in payoffs} == {Arm("bad", ""), Arm("facts", ""), Arm("good", "src/core")}
    order_waiting(queue.database, R, payoffs)
    given = boosted(queue)
    assert given[prepares] >= given[good] > given[other] > given[bad] > 0
    claimed = queue.claim(R, ["good", "bad"])
    assert claimed
    assert claimed.id == good
    order_waiting(queue.database, R, [])
    assert {boosted(queue)[number] for number in (bad, other, prepares)} == {0.0}
