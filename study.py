"""Let a repository be studied within a budget; what is found is shown with what proves it.

python study.py --repo PATH --minutes 20            (from cron, for example)
python study.py --repo PATH insights | list | show JOB | rerun JOB | cancel JOB | off | on | status
"""

from __future__ import annotations

import time
from typing import Any

import click

from core import logs
from core.config import StudyConfig, cache_folder, load, settings_file
from core.engine.command import CONTEXT_SETTINGS, Group, version_option, with_section
from core.visible import visible


@click.group(cls=Group, context_settings=CONTEXT_SETTINGS, invoke_without_command=True)
@click.option("--repo", default=".", metavar="PATH", show_default=True, help="Repository (path or URL) to study.")
@click.option("--minutes", default=20.0, type=click.FloatRange(min=0), show_default=True, help="How long at most.")
@click.option("--follow", is_flag=True, help="Wait for new commits and schedules where nothing is left to do.")
@click.option("--dry-run", is_flag=True, help="Say what would be studied first, and study nothing.")
@with_section(StudyConfig)
@click.option("--config", metavar="FILE", help="Settings file [default: config.yaml, if there is one].")
@click.option("--cache-dir", default="", metavar="DIR", help="Indexes, clones and files [default: pipeline.cache_dir].")
@click.option("--verbose", is_flag=True, help="Show debug messages, such as the exact git commands.")
@version_option()
@click.pass_context
def main(
    ctx: click.Context, /, repo: str, minutes: float, follow: bool, dry_run: bool, config: str | None, cache_dir: str,
    verbose: bool, **given: Any,
) -> None:  # fmt: skip
    """Study a repository for some minutes: what is new is looked at, and what is found is shown with its proof.

    Ctrl-C ends it at once; what was begun is done again the next time.
    """
    logs.setup(verbose=verbose)
    from thoughts.studying import opened

    values = {key: value for key, value in given.items() if value not in (None, ())}
    settings = load(settings_file(config), {}, values={"study": values}, other_sections=True).study
    ctx.obj = study = ctx.with_resource(opened(repo, cache_folder(cache_dir), settings))
    if ctx.invoked_subcommand:
        return
    if dry_run:
        from thoughts.rendering import due_lines

        _say(due_lines(study.planned()))
    else:
        _study(study, minutes, follow=follow)


def _study(study: Any, minutes: float, *, follow: bool) -> None:
    from core.progress import Progress
    from thoughts import rendering

    done: list[Any] = []
    with Progress("studying", study.waiting(), "jobs") as progress:

        def ended(one: Any, waiting: int) -> None:
            done.append(one)
            progress.expect(len(done) + waiting)
            progress.advance()

        try:
            study.work(time.monotonic() + minutes * 60, ended, follow=follow)
        finally:
            _say(rendering.summary_lines(done, study))
    for one in done:
        _say(rendering.insights_lines(study, run_id=one.job.run_id) if one.insights else [])


@main.command("list")
@click.option("--most", default=50, type=click.IntRange(min=1), show_default=True, help="How many.")
@click.pass_obj
def list_(study: Any, most: int) -> None:
    """List jobs: those that run or wait, then those that ended last."""
    from thoughts.rendering import jobs_lines

    _say(jobs_lines(study, most) or ["no jobs yet"])


@main.command()
@click.option("--most", default=10, type=click.IntRange(min=1), show_default=True, help="How many.")
@click.pass_obj
def insights(study: Any, most: int) -> None:
    """Show what was found, the newest first: only what git still confirms."""
    from thoughts.rendering import insights_lines

    _say(insights_lines(study, most=most) or ["nothing was found yet"])


@main.command()
@click.argument("job", type=int)
@click.pass_obj
def show(study: Any, job: int) -> None:
    """Show a job: its runs with their logs and files, and what proves what it found."""
    from thoughts.rendering import job_lines

    _say(job_lines(study, job))


@main.command()
@click.argument("job", type=int)
@click.pass_obj
def rerun(study: Any, job: int) -> None:
    """Let a job run again the next time."""
    study.queue.rerun(study.job(job)["id"])


@main.command()
@click.argument("job", type=int)
@click.pass_obj
def cancel(study: Any, job: int) -> None:
    """Take a job back; one that runs ends within a second or two."""
    study.queue.cancel(study.job(job)["id"])


@main.command()
@click.pass_obj
def off(study: Any) -> None:
    """Switch the study off: nothing starts any more, and what runs ends within a second or two."""
    study.switch(on=False)


@main.command()
@click.pass_obj
def on(study: Any) -> None:
    """Switch the study on again."""
    study.switch(on=True)


@main.command()
@click.pass_obj
def status(study: Any) -> None:
    """Say whether it is on, what waits, and what is left of the budget."""
    from thoughts.rendering import status_lines

    _say(status_lines(study))


def _say(lines: list[str]) -> None:
    for line in lines:
        click.echo(visible(line))


if __name__ == "__main__":
    main(prog_name="study.py")
