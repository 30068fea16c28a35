"""The commands of study.py on what was found and what was run. Each gets the study of a repository."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from core.visible import visible
from thoughts.tables import INSIGHT_STATES, JOB_STATES

NUMBER = click.IntRange(1, 2**63 - 1)
"""Of a job or an insight, as databases have them."""
_most = click.option("--most", default=10, type=NUMBER, show_default=True, help="How many.")
_kinds = click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Of this kind (repeatable).")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_job = click.argument("job", type=NUMBER)


@click.command()
@_most
@_kinds
@click.option("--state", "states", multiple=True, type=click.Choice(INSIGHT_STATES), help="In this state (repeatable).")
@click.option("--all", "all_states", is_flag=True, help="Dismissed ones, too.")
@_json
@click.pass_obj
def insights(
    study: Any, most: int, kinds: tuple[str, ...], states: tuple[str, ...], all_states: bool, as_json: bool
) -> None:
    """Show what was found, the newest first: only what git still confirms."""
    from thoughts.insights import WANTED
    from thoughts.kinds import checked_names
    from thoughts.records import in_json, insight_record
    from thoughts.rendering import insights_lines

    wanted = states or (INSIGHT_STATES if all_states else WANTED)
    chosen: dict[str, Any] = {"most": most, "kinds": checked_names(kinds), "states": wanted}
    if as_json:
        found = study.insights.shown(study.key, study.state.git_dir, **chosen)
        click.echo(in_json([insight_record(one, study) for one in found]))
    else:
        say(insights_lines(study, **chosen) or ["nothing was found yet"])


def _marking(name: str, state: str, text: str) -> click.Command:
    @click.command(name, help=text)
    @click.argument("insights", nargs=-1, required=True, type=NUMBER, metavar="INSIGHT…")
    @click.pass_obj
    def mark(study: Any, insights: tuple[int, ...]) -> None:
        for one in insights:
            study.insights.mark(study.key, one, state)

    return mark


@click.command("list")
@click.option("--most", default=50, type=NUMBER, show_default=True, help="How many.")
@_kinds
@click.option("--state", "states", multiple=True, type=click.Choice(JOB_STATES), help="In this state (repeatable).")
@_json
@click.pass_obj
def list_(study: Any, most: int, kinds: tuple[str, ...], states: tuple[str, ...], as_json: bool) -> None:
    """List jobs: those that run or wait, then those that ended last."""
    from thoughts.kinds import checked_names
    from thoughts.records import in_json, job_record
    from thoughts.rendering import jobs_lines

    found = study.jobs(most, kinds=checked_names(kinds), states=states or JOB_STATES)
    if as_json:
        click.echo(in_json([job_record(one, study) for one in found]))
    else:
        say(jobs_lines(found, study.hours.zone) or ["no jobs yet"])


@click.command()
@_job
@_json
@click.pass_obj
def show(study: Any, job: int, as_json: bool) -> None:
    """Show a job: its runs with their logs and files, and what proves what it found, which counts as read."""
    from thoughts.records import in_json, show_record
    from thoughts.rendering import job_lines

    if as_json:
        click.echo(in_json(show_record(study, job)))
    else:
        say(job_lines(study, job))
        study.insights.open_job(study.key, job)


@click.command()
@_job
@click.pass_obj
def rerun(study: Any, job: int) -> None:
    """Let a job run again the next time."""
    study.queue.rerun(study.job(job)["id"])


@click.command()
@_job
@click.pass_obj
def cancel(study: Any, job: int) -> None:
    """Take a job back; one that runs ends within a second or two."""
    study.queue.cancel(study.job(job)["id"])


def _switching(name: str, text: str) -> click.Command:
    @click.command(name, help=text)
    @click.option("--everywhere", is_flag=True, help="All repositories of the database, also those to come.")
    @click.pass_obj
    def switch(study: Any, everywhere: bool) -> None:
        study.queue.switches.set(on=name == "on", repository="" if everywhere else study.key)

    return switch


@click.command()
@_json
@click.pass_obj
def status(study: Any, as_json: bool) -> None:
    """Say whether it is on, what waits, what is left of the budget, and when each kind is asked next."""
    from thoughts.records import in_json, status_record
    from thoughts.rendering import status_lines

    if as_json:
        click.echo(in_json(status_record(study)))
    else:
        say(status_lines(study))


@click.command()
@click.option("--since", default="", metavar="TIME", help="12h, 7d, yesterday, a date [default: the last report].")
@click.option("--output", default="", metavar="FILE", help="Write it as a page; the next report begins there.")
@_json
@click.pass_obj
def report(study: Any, since: str, output: str, as_json: bool) -> None:
    """Say what is new, what no longer holds, what was marked, what it cost, and what failed."""
    from thoughts import report_pages
    from thoughts.records import in_json
    from thoughts.reports import begin_of, reported

    path = report_pages.page_at(output) if output else None
    found = reported(study, begin_of(since, study) if since else None, keep=path is not None)
    if path:
        report_pages.write(found, path)
    elif as_json:
        click.echo(in_json(found))
    else:
        say(report_pages.lines_of(found))


def say(lines: Iterable[str]) -> None:
    """Print lines so that nothing in them acts on the terminal."""
    for line in lines:
        click.echo(visible(line))


COMMANDS = (
    insights,
    _marking("read", "read", "Note that insights were read."),
    _marking("keep", "kept", "Keep insights, and the files that prove them."),
    _marking("dismiss", "dismissed", "Show insights no more: they were of no use."),
    list_,
    show,
    rerun,
    cancel,
    report,
    _switching("off", "Switch the study off: nothing starts, and what runs ends within a second or two."),
    _switching("on", "Switch the study on again."),
    status,
)
