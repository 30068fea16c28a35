"""What is kept of runs, by their numbers. Several repositories may share a database: none sees what others have."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from stores.engine.database import Database

_OF_JOB = ("kind", "input", "attempts", "created_at")


def run_of(database: Database, repository: str, run_id: int) -> dict[str, Any] | None:
    """A run with its log, the contents of its artifacts by their names, and what its job is; None without one."""
    jobs, runs, uses = (database.table(name) for name in ("jobs", "runs", "run_artifacts"))
    query = sa.select(runs, jobs.c.state.label("job_state"), *(jobs.c[name] for name in _OF_JOB))
    query = query.join(jobs, jobs.c.id == runs.c.job_id).where(runs.c.id == run_id, jobs.c.repository == repository)
    with database.read() as connection:
        row = connection.execute(query).mappings().first()
        if row is None:
            return None
        files = connection.execute(sa.select(uses.c.name, uses.c.sha256).filter_by(run_id=run_id)).all()
    return {**row, "artifacts": {file.name: file.sha256 for file in files}}


def last_run_of(database: Database, repository: str, job_id: int) -> dict[str, Any] | None:
    """Number, state and log of the latest run of a job; None before the first."""
    jobs, runs = database.table("jobs"), database.table("runs")
    query = sa.select(runs.c.id, runs.c.state, runs.c.log).join(jobs, jobs.c.id == runs.c.job_id)
    query = query.where(jobs.c.id == job_id, jobs.c.repository == repository).order_by(runs.c.id.desc()).limit(1)
    with database.read() as connection:
        row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def artifact_name(database: Database, repository: str, sha256: str) -> str:
    """What a run of a repository calls a content, "" where none has left it."""
    jobs, runs, uses = (database.table(name) for name in ("jobs", "runs", "run_artifacts"))
    query = sa.select(uses.c.name).join(runs, runs.c.id == uses.c.run_id).join(jobs, jobs.c.id == runs.c.job_id)
    query = query.where(uses.c.sha256 == sha256, jobs.c.repository == repository).order_by(uses.c.run_id).limit(1)
    with database.read() as connection:
        return str(connection.execute(query).scalar() or "")


def insight_exists(database: Database, repository: str, insight_id: int) -> bool:
    """Whether a repository has an insight of this number."""
    table = database.table("insights")
    with database.read() as connection:
        found = connection.execute(sa.select(table.c.id).filter_by(repository=repository, id=insight_id)).first()
    return found is not None
