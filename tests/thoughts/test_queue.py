"""Jobs on both databases: each is done once, whoever is killed when, and nothing starts that may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from core.errors import UserError
from stores.engine.database import Database
from thoughts.budgets import Budgets
from thoughts.kind import Cost
from thoughts.queue import LEASE_S, MOST_ATTEMPTS, MOST_LOSSES, OLDEST_EVERY, Job, Queue, wait_s

R, KINDS = "r1", ["walk", "run"]
MOST = Cost(cpu_s=10, io_bytes=1000, seconds=60)
USED = Cost(cpu_s=1, io_bytes=10, seconds=2)


@dataclass
class Clock:
    """Stands still until it is set."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(database: Database, clock: Clock) -> Queue:
    return Queue(database, "w1", clock=clock)


def add(queue: Queue, number: int = 1, kind: str = "walk", priority: float = 0.0, most: Cost = MOST) -> int | None:
    with queue.database.write() as connection:
        return queue.add(connection, R, kind, {"number": number}, most, priority=priority)


def claimed(queue: Queue) -> Job:
    job = queue.claim(R, KINDS)
    assert job is not None
    return job


def row(queue: Queue, job: int, table: str = "jobs") -> Any:
    found = queue.database.table(table)
    with queue.database.read() as connection:
        return connection.execute(sa.select(found).where(found.c.id == job)).mappings().one()


def level(queue: Queue) -> float:
    with queue.database.write() as connection:
        bucket = Budgets(connection, R, queue.now()).buckets["cpu_s"]
        return bucket.cap - bucket.level - bucket.reserved


def test_jobs_come_by_priority_then_by_age(queue: Queue, clock: Clock) -> None:
    first = add(queue, 1)
    clock.now += 1
    second, urgent = add(queue, 2), add(queue, 3, priority=5)
    assert [claimed(queue).id for _ in range(3)] == [urgent, first, second]
    assert queue.claim(R, KINDS) is None


def test_whatever_comes_first_the_oldest_job_is_done_at_last(queue: Queue) -> None:
    oldest = add(queue, 0, priority=-100)
    done = []
    for number in range(1, OLDEST_EVERY + 1):
        add(queue, number, priority=number)
        job = claimed(queue)
        done.append(job.id)
        queue.finish(job, USED, "")
    assert done.index(oldest) == OLDEST_EVERY - 1


def test_a_boost_goes_before_priority(queue: Queue) -> None:
    first, second = add(queue, 1, priority=2), add(queue, 2)
    with queue.database.write() as connection:
        jobs = queue.database.table("jobs")
        connection.execute(sa.update(jobs).where(jobs.c.id == second).values(boost=3.0))
    assert [claimed(queue).id for _ in range(2)] == [second, first]


def test_an_input_is_studied_once(queue: Queue) -> None:
    assert add(queue, 1) is not None
    assert add(queue, 1) is None
    assert add(queue, 1, kind="run") is not None
    job = claimed(queue)
    assert queue.finish(job, USED, "fine")
    assert add(queue, 1) is None


def test_only_wanted_kinds_are_claimed(queue: Queue) -> None:
    add(queue, 1)
    assert queue.claim(R, ["run"]) is None
    assert claimed(queue).kind == "walk"


def test_what_a_job_found_is_kept_with_its_end_or_not_at_all(queue: Queue) -> None:
    add(queue, 1)
    job = claimed(queue)

    def keep(connection: sa.Connection) -> None:
        queue.add(connection, R, "walk", {"number": 2}, MOST, parent=job.id)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        queue.finish(job, USED, "", keep)
    assert row(queue, job.id)["state"] == "running"
    assert queue.claim(R, KINDS) is None


def test_a_lapsed_lease_is_offered_again_and_its_first_worker_changes_nothing(queue: Queue, clock: Clock) -> None:
    add(queue, 1)
    old = claimed(queue)
    clock.now += LEASE_S - 1
    queue.beat(old, "so far")
    clock.now += LEASE_S - 1
    assert queue.claim(R, KINDS) is None
    clock.now += 2
    other = Queue(queue.database, "w2", clock=clock)
    new = claimed(other)
    assert (new.id, new.attempts) == (old.id, 0)
    assert queue.problem(old) == "lost"
    queue.beat(old, "still here")
    assert row(queue, old.run_id, "runs")["log"] == "so far"
    kept: list[str] = []
    assert not queue.finish(old, USED, "", lambda _: kept.append("old"))
    assert not queue.fail(old, USED, "", "late")
    assert other.finish(new, USED, "", lambda _: kept.append("new"))
    assert kept == ["new"]
    assert row(queue, old.run_id, "runs")["state"] == "lost"
    assert row(queue, new.run_id, "runs")["state"] == "done"


def test_a_lost_job_pays_all_that_it_had_reserved(queue: Queue, clock: Clock) -> None:
    add(queue, 1)
    claimed(queue)
    clock.now += LEASE_S + 1
    job = claimed(queue)
    queue.finish(job, USED, "")
    spent = level(queue)
    assert spent == pytest.approx(11 - 0, abs=1e-6)


def test_failures_wait_longer_and_longer_until_the_job_is_dead(queue: Queue, clock: Clock) -> None:
    number = add(queue, 1)
    assert number
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert queue.fail(claimed(queue), USED, "log", f"attempt {attempt}")
        assert queue.claim(R, KINDS) is None
        clock.now += wait_s(attempt)
    found = row(queue, number)
    assert (found["state"], found["reason"]) == ("dead", f"attempt {MOST_ATTEMPTS}")
    assert [wait_s(one) for one in (1, 2, 3, 7, 60)] == [60, 120, 240, 3600, 3600]
    queue.rerun(number)
    assert claimed(queue).attempts == 0


def test_a_job_that_ends_its_workers_is_dead_one_day(queue: Queue, clock: Clock) -> None:
    number = add(queue, 1)
    assert number
    for _ in range(MOST_LOSSES):
        claimed(queue)
        clock.now += LEASE_S + 1
    assert queue.claim(R, KINDS) is None
    assert row(queue, number)["reason"] == f"{MOST_LOSSES} workers ended while they had it"


def test_nothing_starts_that_the_budget_does_not_allow(queue: Queue, clock: Clock) -> None:
    with queue.database.write() as connection:
        budgets = Budgets(connection, R, clock.now)
        budgets.set({"cpu_s": 15, "io_bytes": 1e9, "model_s": 0}, clock.now)
    add(queue, 1)
    add(queue, 2)
    add(queue, 3, most=Cost(cpu_s=1, model_s=1, seconds=1), priority=9)
    first = claimed(queue)
    assert queue.claim(R, KINDS) is None
    assert queue.finish(first, USED, "")
    assert claimed(queue).input == {"number": 2}


def test_a_job_larger_than_the_bucket_gets_a_full_one(queue: Queue, clock: Clock) -> None:
    with queue.database.write() as connection:
        Budgets(connection, R, clock.now).set({"cpu_s": 5, "io_bytes": 1e9, "model_s": 0}, clock.now)
    add(queue, 1)
    assert claimed(queue).reserved == Cost(cpu_s=5, io_bytes=1000, seconds=60)


def test_switched_off_or_in_quiet_hours_nothing_starts(queue: Queue, clock: Clock) -> None:
    table = queue.database.table("repositories")

    def setting(**values: Any) -> None:
        with queue.database.write() as connection:
            connection.execute(sa.update(table).values(**values))

    add(queue, 1)
    setting(studying=0)
    assert queue.claim(R, KINDS) is None
    setting(studying=1, quiet="00:00-23:59")  # the clock stands at 13:46
    assert queue.claim(R, KINDS) is None
    setting(quiet="14:00-13:00")
    job = claimed(queue)
    assert queue.problem(job) == ""
    setting(studying=0)
    assert queue.problem(job) == "switched off"
    assert queue.release(job, USED, "", "switched off")
    assert row(queue, job.id)["state"] == "waiting"
    assert row(queue, job.run_id, "runs")["state"] == "stopped"


def test_one_switch_is_for_all_repositories(queue: Queue) -> None:
    add(queue, 1)
    job = claimed(queue)
    assert queue.switches.off_by(R) == ""
    queue.switches.set(on=False)
    queue.switches.set(on=False)
    assert queue.problem(job) == "switched off"
    assert queue.release(job, USED, "", "switched off")
    assert (queue.switches.off_by(R), queue.claim(R, KINDS)) == ("everywhere", None)
    queue.switches.set(on=True, repository=R)
    assert queue.claim(R, KINDS) is None
    queue.switches.set(on=False, repository=R)
    queue.switches.set(on=True)
    assert (queue.switches.off_by(R), queue.claim(R, KINDS)) == ("here", None)
    queue.switches.set(on=True, repository=R)
    assert claimed(queue).id == job.id


def test_cancelled_jobs_end_and_stay_ended(queue: Queue) -> None:
    waiting, other = add(queue, 1, priority=1), add(queue, 2)
    assert waiting
    assert other
    queue.cancel(waiting)
    assert row(queue, waiting)["state"] == "cancelled"
    job = claimed(queue)
    with pytest.raises(UserError, match="is running"):
        queue.rerun(other)
    queue.cancel(other)
    assert queue.problem(job) == "cancelled"
    assert queue.release(job, USED, "", "cancelled")
    assert row(queue, other)["state"] == "cancelled"
    with pytest.raises(UserError, match="is cancelled"):
        queue.cancel(other)
    with pytest.raises(UserError, match="there is no job 77"):
        queue.rerun(77)


def test_when_there_may_be_something_to_do(queue: Queue, clock: Clock) -> None:
    assert queue.next_at(R, KINDS) is None
    add(queue, 1)
    assert queue.next_at(R, KINDS) == clock.now
    job = claimed(queue)
    assert queue.next_at(R, KINDS) == clock.now + LEASE_S
    queue.fail(job, USED, "", "no")
    assert queue.next_at(R, KINDS) == clock.now + 60


def test_two_workers_never_have_the_same_job(opened: Callable[[], Database], clock: Clock) -> None:
    import threading

    queues = [Queue(opened(), f"w{number}", clock=clock) for number in range(2)]
    for number in range(12):
        add(queues[0], number)
    taken: list[int] = []

    def work(queue: Queue) -> None:
        while job := queue.claim(R, KINDS):
            taken.append(job.id)

    threads = [threading.Thread(target=work, args=(queue,)) for queue in queues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 12
