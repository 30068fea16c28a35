"""The queue: jobs that wait, run, are done or dead; who runs which, and since when nothing was heard of them.

All that changes a job is one short transaction, and writers of the database take turns, so that a claim needs no lock
of its own. A run that has lost its job, since its lease ran out and another worker took it, can change nothing any
more: what it found is thrown away. So whatever is killed when, a job's results are kept once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from core.errors import UserError
from stores.engine.database import Database
from thoughts.budgets import Budgets
from thoughts.hours import Hours
from thoughts.kind import Cost, Input, digest_of
from thoughts.switches import Switches
from thoughts.tables import CANCELLED, DEAD, DONE, RUNNING, WAITING

LEASE_S = 30.0
"""How long a job stays with a worker that is not heard of."""
MOST_ATTEMPTS = 5
MOST_LOSSES = 20
"""Workers that end while they have a job before it is taken for what ends them."""
LONGEST_WAIT_S = 3600.0
KEPT_LOGS = 2000
"""Runs whose logs are kept; of older ones, only how they ended and what they cost."""
OLDEST_EVERY = 10
"""Of so many runs, one is of the job that is there the longest, so that none waits for ever."""
_LOOKED_AT = 100
"""Jobs at the head of the queue of which the first that fits into the budgets is taken."""


@dataclass(frozen=True)
class Job:
    """A job as a worker has it."""

    id: int
    run_id: int
    repository: str
    kind: str
    input: Input
    attempts: int
    """That failed before this one."""
    reserved: Cost


class Queue:
    """The jobs of a database, for one repository after the other. `clock` gives seconds since 1970."""

    def __init__(
        self, database: Database, worker: str, *, lease_s: float = LEASE_S, clock: Callable[[], float] = time.time
    ) -> None:
        self.database, self.worker, self.lease_s, self.now = database, worker, lease_s, clock
        self._jobs, self._runs = database.table("jobs"), database.table("runs")
        self._repositories, self.switches = database.table("repositories"), Switches(database, clock)

    def add(
        self, connection: Connection, repository: str, kind: str, given: Input, most: Cost, *,
        priority: float = 0.0, parent: int | None = None,
    ) -> int | None:  # fmt: skip
        """Add a job, within a transaction that writes. None where the kind has had this input already."""
        digest = digest_of(given)
        key = {"repository": repository, "kind": kind, "digest": digest}
        if connection.execute(sa.select(self._jobs.c.id).filter_by(**key)).first():
            return None
        now = self.now()
        row = {
            **key, "input": dict(given), "most": msgspec.to_builtins(most), "priority": priority, "run_at": now,
            "state": WAITING, "attempts": 0, "losses": 0, "parent": parent, "cancel": 0, "reason": "",
            "created_at": now,
        }  # fmt: skip
        return int(connection.execute(sa.insert(self._jobs).values(**row).returning(self._jobs.c.id)).scalar_one())

    def claim(self, repository: str, kinds: Sequence[str]) -> Job | None:
        """The next job of a repository, of some kinds; None where none may start now."""
        with self.database.write() as connection:
            self._free_lost(connection, repository)
            if not self._may_start(connection, repository):
                return None
            now = self.now()
            budgets = Budgets(connection, repository, now)
            by_age = self._runs_of(connection, repository) % OLDEST_EVERY == OLDEST_EVERY - 1
            due = self._due(repository, kinds, by_age=by_age).limit(_LOOKED_AT)
            for row in connection.execute(due).mappings().all():
                most = msgspec.convert(row["most"], Cost)
                if budgets.allow(most):
                    return self._claimed(connection, row, budgets.reserve(most))
        return None

    def _claimed(self, connection: Connection, row: RowMapping, reserved: Cost) -> Job:
        now = self.now()
        run = {
            "job_id": row["id"], "worker": self.worker, "state": RUNNING, "started_at": now, "log": "", "reason": "",
            "reserved": msgspec.to_builtins(reserved), "cost": {},
        }  # fmt: skip
        run_id = connection.execute(sa.insert(self._runs).values(**run).returning(self._runs.c.id)).scalar_one()
        taken = connection.execute(
            sa.update(self._jobs)
            .where(self._jobs.c.id == row["id"], self._jobs.c.state == WAITING)
            .values(state=RUNNING, run_id=run_id, lease_until=now + self.lease_s, cancel=0, reason="")
            .returning(self._jobs.c.attempts)
        ).scalar_one()
        return Job(row["id"], run_id, row["repository"], row["kind"], row["input"], taken, reserved)

    def next_at(self, repository: str, kinds: Sequence[str]) -> float | None:
        """When a job may be due next: one that waits, or one whose worker may be gone by then. None without any.

        Only reads, so that it may be asked often.
        """
        with self.database.read() as connection:
            waiting = sa.select(sa.func.min(self._jobs.c.run_at)).where(*self._waiting(repository, kinds))
            held = sa.select(sa.func.min(self._jobs.c.lease_until)).where(
                self._jobs.c.repository == repository, self._jobs.c.state == RUNNING
            )
            times = [connection.execute(one).scalar_one() for one in (waiting, held)]
        return min((one for one in times if one is not None), default=None)

    def problem(self, job: Job) -> str:
        """Why a running job is to end: "lost", "cancelled", "switched off"; "" while it may go on. Only reads."""
        query = (
            sa.select(self._jobs.c.run_id, self._jobs.c.cancel, self.switches.may_study.label("studying"))
            .join(self._repositories, self._repositories.c.key == self._jobs.c.repository)
            .where(self._jobs.c.id == job.id)
        )
        with self.database.read() as connection:
            row = connection.execute(query).one()
        if row.run_id != job.run_id:
            return "lost"
        return "cancelled" if row.cancel else "" if row.studying else "switched off"

    def running(self) -> set[int]:
        """The runs that have not ended, of all repositories."""
        with self.database.read() as connection:
            return set(connection.execute(sa.select(self._runs.c.id).filter_by(state=RUNNING)).scalars())

    def beat(self, job: Job, log: str) -> None:
        """Keep a job for another lease, and its log so far."""
        with self.database.write() as connection:
            held = connection.execute(
                sa.update(self._jobs)
                .where(self._jobs.c.id == job.id, self._jobs.c.run_id == job.run_id)
                .values(lease_until=self.now() + self.lease_s)
            )
            if held.rowcount:
                connection.execute(sa.update(self._runs).where(self._runs.c.id == job.run_id).values(log=log))

    def finish(self, job: Job, cost: Cost, log: str, keep: Callable[[Connection], None] = lambda _: None) -> bool:
        """The job is done, and `keep` writes what it found in the same transaction. False where it was lost before."""
        return self._end(job, DONE, cost, log, "", {"state": DONE, "ended_at": self.now()}, keep)

    def fail(self, job: Job, cost: Cost, log: str, reason: str) -> bool:
        """An attempt failed: the next one comes later and later, and after the last the job is dead."""
        attempts = job.attempts + 1
        ended = {"state": WAITING, "run_at": self.now() + wait_s(attempts)}
        if attempts >= MOST_ATTEMPTS:
            ended = {"state": DEAD, "ended_at": self.now()}
        return self._end(job, "failed", cost, log, reason, {**ended, "attempts": attempts, "reason": reason})

    def release(self, job: Job, cost: Cost, log: str, reason: str) -> bool:
        """Put a job back that was ended on purpose; who cancelled it does not want it back."""
        if reason == "cancelled":
            ended = {"state": CANCELLED, "ended_at": self.now()}
            return self._end(job, CANCELLED, cost, log, reason, {**ended, "reason": reason})
        return self._end(job, "stopped", cost, log, reason, {"state": WAITING, "run_at": self.now()})

    def cancel(self, job_id: int) -> None:
        """Take a job back: one that waits at once, one that runs when its worker looks. Raises UserError for others."""
        with self.database.write() as connection:
            row = self._row(connection, job_id)
            if row["state"] not in (WAITING, RUNNING):
                raise UserError(f"job {job_id} is {row['state']}", "study.py list shows those that wait or run")
            ended = {"state": CANCELLED, "reason": "cancelled", "ended_at": self.now()}
            values = {"cancel": 1} if row["state"] == RUNNING else ended
            connection.execute(sa.update(self._jobs).where(self._jobs.c.id == job_id).values(**values))

    def rerun(self, job_id: int) -> None:
        """Let a job run again, as if it had never failed. Raises UserError for one that runs, or that there is not."""
        with self.database.write() as connection:
            if self._row(connection, job_id)["state"] == RUNNING:
                raise UserError(f"job {job_id} is running", "cancel it first, or wait for its end")
            values = {
                "state": WAITING,
                "attempts": 0,
                "losses": 0,
                "run_at": self.now(),
                "reason": "",
                "ended_at": None,
            }
            connection.execute(sa.update(self._jobs).where(self._jobs.c.id == job_id).values(**values))

    def _end(
        self, job: Job, run_state: str, cost: Cost, log: str, reason: str, values: Mapping[str, Any],
        keep: Callable[[Connection], None] = lambda _: None,
    ) -> bool:  # fmt: skip
        with self.database.write() as connection:
            mine = (self._jobs.c.id == job.id) & (self._jobs.c.run_id == job.run_id)
            ended = sa.update(self._jobs).where(mine, self._jobs.c.state == RUNNING)
            if not connection.execute(ended.values(run_id=None, lease_until=None, cancel=0, **values)).rowcount:
                return False
            self._close(connection, job.run_id, run_state, cost, reason, log)
            Budgets(connection, job.repository, self.now()).settle(job.reserved, cost)
            keep(connection)
        return True

    def _free_lost(self, connection: Connection, repository: str) -> None:
        """Offer jobs again whose workers were not heard of for a lease. All that they had reserved counts as used."""
        late = (
            self._jobs.c.repository == repository,
            self._jobs.c.state == RUNNING,
            self._jobs.c.lease_until < self.now(),
        )
        query = sa.select(self._jobs, self._runs.c.reserved).join(self._runs, self._runs.c.id == self._jobs.c.run_id)
        for row in connection.execute(query.where(*late)).mappings().all():
            reserved = msgspec.convert(row["reserved"], Cost)
            reason = "its worker was not heard of"
            self._close(connection, row["run_id"], "lost", reserved, reason)
            Budgets(connection, repository, self.now()).settle(reserved, reserved)
            ended: dict[str, Any] = {"state": WAITING, "run_at": self.now()}
            if row["cancel"]:
                ended = {"state": CANCELLED, "ended_at": self.now(), "reason": "cancelled"}
            elif row["losses"] + 1 >= MOST_LOSSES:
                reason = f"{MOST_LOSSES} workers ended while they had it"
                ended = {"state": DEAD, "ended_at": self.now(), "reason": reason}
            values = {**ended, "losses": row["losses"] + 1, "run_id": None, "lease_until": None, "cancel": 0}
            connection.execute(sa.update(self._jobs).where(self._jobs.c.id == row["id"]).values(**values))

    def _close(
        self, connection: Connection, run_id: int, state: str, cost: Cost, reason: str, log: str | None = None
    ) -> None:
        """Write down how a run ended; without a log, what is known of it stays."""
        values = {"state": state, "ended_at": self.now(), "cost": msgspec.to_builtins(cost), "reason": reason}
        values |= {} if log is None else {"log": log}
        connection.execute(sa.update(self._runs).where(self._runs.c.id == run_id).values(**values))
        old = self._runs.c.id.between(run_id - KEPT_LOGS - _LOOKED_AT, run_id - KEPT_LOGS)
        connection.execute(sa.update(self._runs).where(old).values(log=""))

    def _may_start(self, connection: Connection, repository: str) -> bool:
        query = sa.select(self._repositories, self.switches.may_study.label("may_study"))
        row = connection.execute(query.where(self._repositories.c.key == repository)).mappings().one()
        return bool(row["may_study"]) and Hours.of(row["quiet"], row["zone"]).quiet_until(self.now()) is None

    def _waiting(self, repository: str, kinds: Sequence[str]) -> list[sa.ColumnElement[bool]]:
        return [self._jobs.c.repository == repository, self._jobs.c.state == WAITING, self._jobs.c.kind.in_(kinds)]

    def _due(self, repository: str, kinds: Sequence[str], *, by_age: bool) -> sa.Select[Any]:
        jobs = self._jobs.c
        waiting = sa.select(self._jobs).where(*self._waiting(repository, kinds), jobs.run_at <= self.now())
        order = (jobs.created_at,) if by_age else ((jobs.priority + jobs.boost).desc(), jobs.run_at)
        return waiting.order_by(*order, jobs.id)

    def _runs_of(self, connection: Connection, repository: str) -> int:
        """How many runs a repository has had."""
        both = sa.join(self._runs, self._jobs, self._jobs.c.id == self._runs.c.job_id)
        query = sa.select(sa.func.count()).select_from(both).where(self._jobs.c.repository == repository)
        return int(connection.execute(query).scalar_one())

    def _row(self, connection: Connection, job_id: int) -> RowMapping:
        row = connection.execute(sa.select(self._jobs).where(self._jobs.c.id == job_id)).mappings().first()
        if row is None:
            raise UserError(f"there is no job {job_id}", "study.py list shows them")
        return row


def wait_s(attempts: int) -> float:
    """Seconds before the next attempt after so many have failed: one minute, two, four, at most an hour."""
    return min(60.0 * 2.0 ** (attempts - 1), LONGEST_WAIT_S)
