"""Studies that have found something, without a process for each job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chat.citations import Citations
from chat.statements import Statement
from core.git.touched import named
from thoughts.insights import confirmed
from thoughts.kind import Artifact, Cost, Fact, Insight, Outcome
from thoughts.queue import Job
from thoughts.studying import Study
from thoughts.worker import Worker

LOG = "log.txt"


def begun(study: Study, kind: str = "digest", **given: object) -> Job:
    """A job that runs, as far as the database knows."""
    with study.database.write() as connection:
        study.queue.add(connection, study.key, kind, given, Cost(cpu_s=1), priority=1000)
    job = study.queue.claim(study.key, [kind])
    assert job
    return job


def ended(study: Study, job: Job, outcome: Outcome, log: str = "") -> None:
    """Keep what it found, as a worker does."""
    worker = Worker(study.queue, study.key, study.kinds, study.artifacts, study.place, study.state)
    insights, _ = confirmed(outcome.insights, {one.name: one for one in outcome.artifacts}, study.state.git_dir)
    cost = Cost(cpu_s=1.5, io_bytes=2_000_000, seconds=2)
    assert study.queue.finish(job, cost, log, lambda connection: worker._keep(connection, job, outcome, insights))


def insight(git_dir: Path, title: str, *texts: str, path: str = "", lines: tuple[int, int] = (1, 1)) -> Insight:
    """One that git confirms: each statement cites the newest commit, or lines of a file in it."""
    touch = named(git_dir, "HEAD")
    with Citations(git_dir) as citations:
        cited = citations.cite(path, *lines, touch.hash) if path else citations.cite_commit(touch.hash, touch.title)
    assert cited
    said = tuple(Statement(text, (cited,)) for text in texts or (f"{title}, indeed.",))
    return Insight(title, said, "git log -1", LOG)


def found(
    study: Study,
    *insights: Insight,
    kind: str = "digest",
    facts: Sequence[Fact] = (),
    proof: bytes = b"",
    **given: object,
) -> Job:
    """A job that has found something, with a log as its proof."""
    job = begun(study, kind, **given)
    log = Artifact(LOG, proof or f"the log of job {job.id}".encode())
    ended(study, job, Outcome(insights, [log], facts), f"it was done by run {job.run_id}\n")
    return job


def risk(
    path: str, above: float, lines: int, *repairs: str, ran: tuple[int, int] | None = None, commit: str = "c" * 40
) -> Fact:
    """What the kind `risk` leaves of a file; `ran` is (the lines that did, those that can)."""
    value: dict[str, Any] = {"score": above * 4, "above": above, "lines": lines, "repairs": repairs}
    if ran:
        value["coverage"] = {"ran": ran[0], "lines": ran[1]}
    return Fact("risk", path, value, commit)
