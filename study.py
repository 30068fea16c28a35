"""Let a repository be studied within a budget; what is found is shown with what proves it.

python study.py --repo PATH --minutes 60 --report study.md            (from cron, for example)
python study.py --repo PATH insights | read, keep, dismiss INSIGHT | report
python study.py --repo PATH list | show, rerun, cancel JOB | off | on | status
"""

from __future__ import annotations

import time
from typing import Any

import click

from core import logs
from core.config import StudyConfig, cache_folder, load, settings_file
from core.engine.command import CONTEXT_SETTINGS, Group, version_option, with_section
from thoughts.study_commands import COMMANDS, say


@click.group(cls=Group, context_settings=CONTEXT_SETTINGS, invoke_without_command=True)
@click.option("--repo", default=".", metavar="PATH", show_default=True, help="Repository (path or URL) to study.")
@click.option("--minutes", default=20.0, type=click.FloatRange(min=0), show_default=True, help="How long at most.")
@click.option("--follow", is_flag=True, help="Wait for new commits and schedules where nothing is left to do.")
@click.option("--dry-run", is_flag=True, help="Say what would be studied first, and study nothing.")
@click.option("--report", default="", metavar="FILE", help="Write a report as a page when it ends.")
@with_section(StudyConfig)
@click.option("--config", metavar="FILE", help="Settings file [default: config.yaml, if there is one].")
@click.option("--cache-dir", default="", metavar="DIR", help="Indexes, clones and files [default: pipeline.cache_dir].")
@click.option("--verbose", is_flag=True, help="Show debug messages, such as the exact git commands.")
@version_option()
@click.pass_context
def main(
    ctx: click.Context, /, repo: str, minutes: float, follow: bool, dry_run: bool, report: str, config: str | None,
    cache_dir: str, verbose: bool, **given: Any,
) -> None:  # fmt: skip
    """Study a repository for some minutes: what is new is looked at, and what is found is shown with its proof.

    Ctrl-C ends it at once; what was begun is done again the next time.
    """
    logs.setup(verbose=verbose)
    from thoughts import report_pages
    from thoughts.reports import reported
    from thoughts.studying import opened

    values = {key: value for key, value in given.items() if value not in (None, ())}
    settings = load(settings_file(config), {}, values={"study": values}, other_sections=True)
    ctx.obj = study = ctx.with_resource(opened(repo, cache_folder(cache_dir), settings.study, chat=settings.chat))
    if ctx.invoked_subcommand:
        return
    if dry_run:
        from thoughts.rendering import due_lines

        say(due_lines(study.planned()))
        return
    path = report_pages.page_at(report) if report else None
    _study(study, minutes, follow=follow)
    if path:
        report_pages.write(reported(study, keep=True), path)


def _study(study: Any, minutes: float, *, follow: bool) -> None:
    from core.logs import log
    from core.progress import Progress
    from thoughts import rendering

    done: list[Any] = []
    with Progress("studying", study.waiting(), "jobs") as progress:

        def ended(one: Any, waiting: int) -> None:
            done.append(one)
            for line in rendering.titles(one, study):
                log.info("%s", line)
            progress.expect(len(done) + waiting)
            progress.advance()

        try:
            study.work(time.monotonic() + minutes * 60, ended, follow=follow)
        finally:
            say(rendering.summary_lines(done, study))
    for one in done:
        say(rendering.insights_lines(study, run_id=one.job.run_id) if one.insights else [])


for _command in COMMANDS:
    main.add_command(_command)


if __name__ == "__main__":
    main(prog_name="study.py")
