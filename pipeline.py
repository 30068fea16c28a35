"""From a git history to a fine-tuned model and a memory for agents: all stages in order.

    python pipeline.py --config config.yaml

Reads the settings in config.yaml, skips what is up to date, writes everything to outputs/.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

import change_ranker
import dataset_builder
import evaluate
import git_scraper
import github_miner
import pattern_miner
import report_builder
import repository_joiner
import semantic_chunker
import store_seeder
import tokenizer
import train_model
from core import logs
from core.config import DEFAULT_CONFIG, expand, load
from core.engine import results, turns
from core.engine.command import CONTEXT_SETTINGS, version_option, with_exit_codes
from core.engine.runner import Layout, Runner
from core.engine.stage import Stage
from core.errors import UserError, did_you_mean

STAGES: tuple[Stage, ...] = (
    git_scraper.STAGE,  #       repository        -> commits.json
    semantic_chunker.STAGE,  #  commits.json      -> chunks.jsonl
    change_ranker.STAGE,  #     commits.json      -> ranker.json, ranking_evaluation.json
    tokenizer.STAGE,  #         chunks.jsonl      -> vocab.json, tokenizer/, tokens.pt
    dataset_builder.STAGE,  #   tokens.pt         -> training_data_{train,val,test}.pt
    train_model.STAGE,  #       training data     -> model/, model_weights.pt, training_logs/
    evaluate.STAGE,  #          model, test data  -> evaluation.json
    report_builder.STAGE,  #    all of the above  -> report.html
    github_miner.STAGE,  #      clones, GitHub    -> mined.jsonl (off unless enabled)
    store_seeder.STAGE,  #      histories         -> seeding.json, and what agents read: stores/
    pattern_miner.STAGE,  #     commits, chunks   -> patterns.jsonl, templates.jsonl, survival.json
)


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option("--config", default=str(DEFAULT_CONFIG), metavar="FILE", show_default=True, help="Settings file.")
@click.option("--stage", "names", multiple=True, metavar="NAME", help="Run only this stage (repeatable).")
@click.option("--from", "first", metavar="NAME", help="Start with this stage.")
@click.option("--until", "last", metavar="NAME", help="Stop after this stage.")
@click.option("--list-stages", is_flag=True, help="Show the stages in order: inputs, outputs, fresh or stale, and why.")
@click.option("--dry-run", is_flag=True, help="Show what would run and why; run and change nothing.")
@click.option("--force", is_flag=True, help="Run the chosen stages even if they are up to date.")
@click.option("--continue-on-error", is_flag=True, help="Run stages that do not need the failed one.")
@click.option("--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="Override a setting (repeatable).")
@click.option("--verbose", is_flag=True, help="Show debug messages, such as the exact git commands.")
@version_option()
@with_exit_codes
def main(
    config: str,
    names: tuple[str, ...],
    first: str | None,
    last: str | None,
    list_stages: bool,
    dry_run: bool,
    force: bool,
    continue_on_error: bool,
    overrides: tuple[str, ...],
    verbose: bool,
) -> None:
    """Turn a repository's whole history into a fine-tuned model and a memory for agents.

    Runs every stage that is not up to date, in order. Exit codes: 0 ok, 1 a stage failed, 2 wrong
    arguments, settings or input, 75 another run is using the outputs folder, 130 interrupted.
    """
    settings = load(Path(config), {stage.name: stage.config for stage in STAGES}, overrides)
    selected = select(STAGES, names, first, last)
    home = expand(settings.pipeline.outputs)
    joiner = repository_joiner.STAGE
    plan = turns.plan(STAGES, settings, Layout(home), selected, joiner=joiner, verbose=verbose)
    if list_stages or dry_run:
        logs.setup(verbose=verbose)
        for turn in plan:
            if len(plan) > 1:
                click.echo(f"{turn.name or 'all together'}:")
            show_plan(turn.runner, turn.selected, force=force, listing=list_stages)
        return
    logs.setup(verbose=verbose, log_file=home / results.LOG_NAME)
    run = turns.run(plan, home, force=force, continue_on_error=continue_on_error)
    results.print_summary(run)
    if settings.pipeline.on_finish:
        results.call_hook(settings.pipeline.on_finish, run, settings.pipeline.on_finish_timeout_s)
    sys.exit(run.exit_code)


def select(stages: Sequence[Stage], names: Sequence[str], first: str | None, last: str | None) -> list[Stage]:
    """The selected stages, in pipeline order."""
    known = [stage.name for stage in stages]
    for name in (*names, first, last):
        if name is not None and name not in known:
            raise UserError(f"unknown stage '{name}'", did_you_mean(name, known))
    if names and (first or last):
        raise UserError("--stage cannot be combined with --from or --until", "use one or the other")
    if names:
        return [stage for stage in stages if stage.name in names]
    start = known.index(first) if first else 0
    stop = known.index(last) + 1 if last else len(known)
    if start >= stop:
        raise UserError(f"--from {first} comes after --until {last}", f"the order is: {', '.join(known)}")
    return list(stages[start:stop])


def show_plan(runner: Runner, selected: Sequence[Stage], *, force: bool, listing: bool) -> None:
    """Print each stage with what would happen to it and why; with `listing` also what it is for and its files."""
    for number, (stage, why) in enumerate(runner.plan(selected, force=force), start=1):
        state = f"would run: {results.shorten(why)}" if why else "up to date"
        if not listing:
            click.echo(f"{stage.name}: {state}")
            if why and stage.estimate:
                click.echo(f"   is it worth the time? python {stage.module}.py --estimate tells in about a minute")
            continue
        click.echo(f"{number}. {stage.name}: {stage.help}")
        click.echo(f"   reads   {', '.join((*stage.inputs, *stage.reads))}")
        click.echo(f"   writes  {', '.join(stage.outputs)}")
        click.echo(f"   state   {'stale: ' + results.shorten(why) if why else 'fresh'}")


if __name__ == "__main__":
    main()
