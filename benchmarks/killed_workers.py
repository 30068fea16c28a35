"""Workers that are killed: is every job of a study done exactly once, and none lost?

    python -m benchmarks.killed_workers REPO [--jobs 60] [--kills 200] [--workers 2] [--database URL]

Workers are killed (SIGKILL) at random moments, whatever they do then, and others begin in their place. Each job leaves
a fact and asks for one more job, so that what is lost or done twice shows. Exits with 1 where something is.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any

import click
import sqlalchemy as sa

from core.config import StudyConfig
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import StageError
from thoughts.kind import ON_COMMIT, Context, Cost, Fact, FollowUp, Input, Kind, Outcome, State
from thoughts.kinds import kind_in
from thoughts.studying import Study, opened

LEASE_S = 2.0
"""Short, so that what was killed is offered again soon."""
PATIENCE_S = 1800.0


class Counting:
    """Takes a moment, leaves a fact, and asks for one more job."""

    name, trigger, priority = "counting", ON_COMMIT, 0.0

    def inputs(self, state: State) -> list[Input]:
        """Jobs are added by hand."""
        return []

    def estimate(self, given: Input) -> Cost:
        """Little."""
        return Cost(cpu_s=60, io_bytes=1_000_000, seconds=300)

    def run(self, given: Input, context: Context) -> Outcome:
        """Do it."""
        time.sleep(given["takes"])
        more = [FollowUp(self.name, {**given, "step": 2})] if given["step"] == 1 else []
        return Outcome(facts=[Fact("counted", f"{given['number']}.{given['step']}", 1, "")], follow_ups=more)


KIND: Kind = Counting()


def study_of(repo: str, cache: Path, database: str) -> Any:
    """The study of a repository that only counts."""
    settings = StudyConfig(database=database, cpu_minutes=100_000, io_gigabytes=100_000)
    return opened(
        repo, cache, settings, lease_s=LEASE_S, kinds_known={"counting": kind_in("benchmarks.killed_workers")}
    )


def work(repo: str, cache: Path, database: str) -> None:
    """A worker: until nothing is left to do."""
    with study_of(repo, cache, database) as study:
        study.work(time.monotonic() + PATIENCE_S, lambda *_: None)


def add(study: Study, jobs: int, random: Random) -> None:
    """So many jobs, each of which asks for another."""
    with study.database.write() as connection:
        for number in range(jobs):
            given = {"number": number, "step": 1, "takes": random.uniform(0, 0.2)}
            study.queue.add(connection, study.key, "counting", given, KIND.estimate(given))


def killed(workers: list[BaseProcess], start: Any, kills: int, pause_s: float, random: Random) -> int:
    """Kill workers one after the other, start another for each; how many were killed before all was done."""
    for number in range(kills):
        time.sleep(random.uniform(0, pause_s))
        which = random.randrange(len(workers))
        if not workers[which].is_alive():
            return number
        workers[which].kill()
        workers[which].join()
        workers[which] = start()
    return kills


def problems(study: Study, jobs: int) -> tuple[list[str], dict[str, int]]:
    """(what is wrong, how many runs ended in each way)."""
    table, runs, facts = (study.database.table(name) for name in ("jobs", "runs", "facts"))
    count = sa.func.count()
    with study.database.read() as connection:
        states = {
            row.state: row[1] for row in connection.execute(sa.select(table.c.state, count).group_by(table.c.state))
        }
        ended = {row.state: row[1] for row in connection.execute(sa.select(runs.c.state, count).group_by(runs.c.state))}
        done = connection.execute(sa.select(runs.c.job_id, count).filter_by(state="done").group_by(runs.c.job_id)).all()
        found = connection.execute(sa.select(count).select_from(facts)).scalar_one()
    wrong = []
    if states != {"done": 2 * jobs}:
        wrong.append(f"of {2 * jobs} jobs, {states} are there")
    if len(done) != 2 * jobs or any(times != 1 for _, times in done):
        wrong.append(f"{len(done)} jobs were done, one at most {max((times for _, times in done), default=0)} times")
    if found != 2 * jobs:
        wrong.append(f"{found} facts were found")
    return wrong, ended


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("repo", type=click.Path(exists=True, file_okay=False, resolve_path=True))
@click.option(
    "--jobs", default=60, type=click.IntRange(1), show_default=True, help="How many, and as many that they ask for."
)
@click.option("--kills", default=200, type=click.IntRange(0), show_default=True, help="How often a worker is killed.")
@click.option("--workers", default=2, type=click.IntRange(1), show_default=True, help="How many at a time.")
@click.option("--pause", default=1.0, show_default=True, help="Seconds between two kills at most.")
@click.option("--seed", default=0, show_default=True, help="Another seed kills at other moments.")
@click.option("--database", default="", help="PostgreSQL database without a study [default: a file].")
@with_exit_codes
def main(repo: str, jobs: int, kills: int, workers: int, pause: float, seed: int, database: str) -> None:
    """Kill workers at random moments, and count what came of their jobs."""
    random = Random(seed)
    context = multiprocessing.get_context("fork")  # the modules are there, so that a kill meets work, not an import
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        with study_of(repo, cache, database) as study:
            add(study, jobs, random)

        def start() -> BaseProcess:
            process = context.Process(target=work, args=(repo, cache, database), daemon=True)
            process.start()
            return process

        running = [start() for _ in range(workers)]
        count = killed(running, start, kills, pause, random)
        for process in running:
            process.join(PATIENCE_S)
        with study_of(repo, cache, database) as study:
            wrong, ended = problems(study, jobs)
    click.echo(f"{count} workers were killed; {2 * jobs} jobs; runs: {ended}")
    if wrong:
        raise StageError("; ".join(wrong), f"--seed {seed} kills at the same moments")


if __name__ == "__main__":
    main()
