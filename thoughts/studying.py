"""The study of one repository: what is due is planned, and jobs are run one after the other while there is time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from core.config import ChatConfig, StudyConfig, without_credentials
from core.errors import GitloreError, UserError
from core.git import refs
from core.git.repositories import open_repository
from core.logs import log
from stores.engine.database import Database
from thoughts import areas, kinds, triggers
from thoughts.artifacts import Artifacts, folder_of
from thoughts.budgets import RESOURCES, Budgets
from thoughts.facts import facts_of
from thoughts.frontier.history import order_waiting
from thoughts.frontier.payoffs import Payoff
from thoughts.hours import Hours
from thoughts.insights import Insights
from thoughts.kind import Cost, Fact, Input, Kind, State
from thoughts.kinds import prioritize
from thoughts.queue import LEASE_S, Queue
from thoughts.tables import JOB_STATES, RUNNING, SCHEMA, WAITING
from thoughts.triggers import Triggers
from thoughts.worker import Done, Worker

PLAN_EVERY_S = 60.0
"""How often it is looked at whether there is a newer commit, or a schedule has come."""
POLL_S = 5.0
"""How often it is looked at whether a job has come from elsewhere."""


@dataclass(frozen=True)
class Due:
    """Something to study now."""

    kind: Kind
    input: Input
    most: Cost


@dataclass
class Study:
    """The study of one repository, for one thread at a time."""

    key: str
    state: State
    kinds: Mapping[str, Kind]
    hours: Hours
    database: Database
    queue: Queue
    artifacts: Artifacts
    insights: Insights
    triggers: Triggers
    place: str
    settings: StudyConfig

    def planned(self) -> list[Due]:
        """What is due now, known already or not. Changes nothing."""
        self._look()
        return [
            Due(self.kinds[name], given, self.kinds[name].estimate(given))
            for name, inputs in self._inputs().items()
            for given in inputs
        ]

    def plan(self) -> int:
        """Add jobs for what is due now; how many are new."""
        self._look()
        count = 0
        for name, inputs in self._inputs().items():
            kind = self.kinds[name]
            with self.database.write() as connection:
                for given in inputs:
                    most = kind.estimate(given)
                    added = self.queue.add(connection, self.key, name, given, most, priority=kind.priority)
                    count += added is not None
                self.triggers.note(connection, name, self.state.commit, self.queue.now())
        self._order()
        return count

    def work(self, until: float, ended: Callable[[Done, int], None], *, follow: bool = False) -> None:
        """Study until a time (of time.monotonic) is over or, unless it is to `follow`, nothing is left to do.

        `ended` is called after each job with how it ended and how many are waiting.
        """
        _register(self.database, self.key, self.state.location, self.settings, self.queue.now(), renew=True)
        planned = -PLAN_EVERY_S
        while time.monotonic() < until:
            if time.monotonic() - planned >= PLAN_EVERY_S:
                self.plan()
                planned = time.monotonic()
            if done := self.work_due():
                ended(done, self.waiting())
            elif not follow and not self._comes_before(until):
                return
            else:
                time.sleep(max(min(POLL_S, until - time.monotonic()), 0.0))

    def work_one(self) -> Done | None:
        """Run the next job; None where none may start now."""
        return self._worker().work()

    def work_due(self) -> Done | None:
        """The same, but only reads where no job is due."""
        return self.work_one() if self._is_due() else None

    def waiting(self, state: str = WAITING) -> int:
        """How many jobs wait, or are in another state."""
        jobs = self.database.table("jobs")
        query = sa.select(sa.func.count()).where(jobs.c.repository == self.key, jobs.c.state == state)
        with self.database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def switch(self, *, on: bool) -> None:
        """Let it study, or not: then nothing starts any more, and what runs ends within a second or two."""
        self.queue.switches.set(on=on, repository=self.key)

    @property
    def is_on(self) -> bool:
        """Whether it may study."""
        return not self.queue.switches.off_by(self.key)

    def left(self) -> dict[str, tuple[float, float]]:
        """(what may be used now, the cap) of each resource."""
        with self.database.write() as connection:
            buckets = Budgets(connection, self.key, self.queue.now()).buckets
        return {name: (buckets[name].level, buckets[name].cap) for name in RESOURCES}

    def jobs(
        self, most: int = 50, *, kinds: Collection[str] = (), states: Collection[str] = JOB_STATES
    ) -> list[dict[str, Any]]:
        """The jobs, of some kinds if they are named, those that run or wait first, then those that ended last."""
        jobs, runs = self.database.table("jobs"), self.database.table("runs")
        order = sa.case((jobs.c.state == RUNNING, 0), (jobs.c.state == WAITING, 1), else_=2)
        latest = sa.select(sa.func.max(runs.c.id)).where(runs.c.job_id == jobs.c.id).scalar_subquery()
        query = sa.select(jobs, latest.label("last_run")).where(jobs.c.repository == self.key, jobs.c.state.in_(states))
        query = query.where(jobs.c.kind.in_(kinds)) if kinds else query
        ended = sa.func.coalesce(jobs.c.ended_at, 0.0).desc()
        with self.database.read() as connection:
            query = query.order_by(order, ended, (jobs.c.priority + jobs.c.boost).desc(), jobs.c.id).limit(most)
            return [dict(row) for row in connection.execute(query).mappings()]

    def job(self, job_id: int) -> dict[str, Any]:
        """One job. Raises UserError where this repository has none of this number."""
        jobs = self.database.table("jobs")
        with self.database.read() as connection:
            query = sa.select(jobs).where(jobs.c.id == job_id, jobs.c.repository == self.key)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise UserError(f"there is no job {job_id} of this repository", "study.py list shows them")
        return dict(row)

    def runs(self, job_id: int) -> list[dict[str, Any]]:
        """The runs of a job, the last first, each with the contents of its artifacts by their names."""
        runs, uses = self.database.table("runs"), self.database.table("run_artifacts")
        with self.database.read() as connection:
            query = sa.select(runs).where(runs.c.job_id == job_id).order_by(runs.c.id.desc())
            found = [dict(row) for row in connection.execute(query).mappings()]
            for run in found:
                rows = connection.execute(sa.select(uses.c.name, uses.c.sha256).where(uses.c.run_id == run["id"]))
                run["artifacts"] = {row.name: row.sha256 for row in rows}
        return found

    def facts(self, name: str = "") -> list[Fact]:
        """The facts of a name that jobs left, by scope; all for no name. Those of changed contents are among them."""
        return facts_of(self.database, self.key, name)

    def _worker(self) -> Worker:
        return Worker(self.queue, self.key, self.kinds, self.artifacts, self.place, self.state)

    def _is_due(self) -> bool:
        next_at = self.queue.next_at(self.key, list(self.kinds))
        return next_at is not None and next_at <= self.queue.now()

    def _comes_before(self, until: float) -> bool:
        """Whether a job will be due in the time that is left: one that is tried again, or that another worker has."""
        next_at = self.queue.next_at(self.key, list(self.kinds))
        if next_at is None:
            return False
        now = self.queue.now()
        return now < next_at < now + until - time.monotonic()

    def _look(self) -> None:
        """What the newest commit is now."""
        now = self.hours.now(self.queue.now())
        commit = refs.head(self.state.git_dir)
        if not commit:
            raise UserError(f"{self.state.location} has no commits", "name another repository")
        self.state = replace(self.state, commit=commit, now=now)

    def _order(self) -> None:
        """Order what waits by what was found useful, if that is studied."""
        facts = self.facts(prioritize.FACT) if prioritize.KIND.name in self.kinds else []
        payoffs = [msgspec.convert(one.value, Payoff) for one in facts]
        order_waiting(self.database, self.key, payoffs)

    def _inputs(self) -> dict[str, list[Input]]:
        """What each kind that is asked now is to study; one that fails to say is left out, and asked again."""
        asked, now = self.triggers.asked(), self.queue.now()
        found = {}
        for name, kind in self.kinds.items():
            last = asked.get(name)
            if self.triggers.is_due(name, last, self.state.commit, now):
                try:
                    found[name] = kind.inputs(replace(self.state, before=last.commit if last else ""))
                except GitloreError as error:
                    log.warning("%s was not planned: %s", name, error)
        return found


@contextlib.contextmanager
def opened(
    location: str,
    cache_dir: Path,
    settings: StudyConfig,
    *,
    chat: ChatConfig | None = None,
    lease_s: float = LEASE_S,
    kinds_known: Mapping[str, Kind] | None = None,
) -> Iterator[Study]:
    """The study of the repository at a path or URL, made where there is none. Raises UserError for wrong settings.

    `chat` may name a language model, which writes where the settings have minutes for one.
    """
    hours = Hours.of(settings.quiet_hours, settings.time_zone)
    chosen = kinds_known or kinds.chosen(settings.kinds)
    schedules = triggers.checked(settings.schedules, kinds_known or kinds.known())
    settings = settings.model_copy(update={"areas": areas.checked(settings.areas)})
    repository = open_repository(location, cache_dir)
    folder = cache_dir.resolve() / "study"
    place = settings.database or str(folder)
    key = key_of(repository.git_dir)
    with contextlib.closing(Database(SCHEMA, place)) as database:
        artifacts = Artifacts(folder_of(cache_dir), database, settings.artifact_megabytes * 1e6)
        queue = Queue(database, f"{platform.node()}:{os.getpid()}", lease_s=lease_s)
        _register(database, key, repository.location, settings, queue.now(), renew=False)
        now = hours.now(queue.now())
        writer = chat if chat and chat.url and chat.model and settings.model_minutes else None
        state = State(repository.location, repository.git_dir, cache_dir, "", "", now, writer, settings)
        insights = Insights(database, artifacts, clock=queue.now)
        asked = Triggers(database, key, chosen, schedules, hours.zone)
        yield Study(key, state, chosen, hours, database, queue, artifacts, insights, asked, place, settings)


def key_of(git_dir: Path) -> str:
    """What the repository at a path on this machine is called in the database."""
    return hashlib.sha256(f"{platform.node()} {os.fsdecode(git_dir)}".encode()).hexdigest()[:16]


def _register(database: Database, key: str, location: str, settings: StudyConfig, now: float, *, renew: bool) -> None:
    """Write down a repository with its settings, where it is new or they are to be renewed."""
    table = database.table("repositories")
    with database.read() as connection:
        is_known = connection.execute(sa.select(table.c.key).filter_by(key=key)).first() is not None
    if is_known and not renew:
        return
    minutes = {"cpu_s": settings.cpu_minutes, "model_s": settings.model_minutes}
    per_day = {name: count * 60 for name, count in minutes.items()} | {"io_bytes": settings.io_gigabytes * 1e9}
    values = {"location": without_credentials(location), "zone": settings.time_zone, "quiet": settings.quiet_hours}
    with database.write() as connection:
        if not connection.execute(sa.update(table).where(table.c.key == key).values(**values)).rowcount:
            connection.execute(
                sa.insert(table).values(key=key, studying=1, background=0, kinds="", added_at=now, **values)
            )
        Budgets(connection, key, now).set(per_day, now)
