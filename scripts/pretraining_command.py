"""The command line that both scripts of seeding have."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from core import logs
from core.config import DEFAULT_CONFIG, Section, expand, load
from core.engine.command import version_option, with_exit_codes
from core.errors import EXIT_FAILED
from core.files import write_json
from core.logs import log
from miners.pretraining import pretrain
from miners.seeder import report
from miners.settings import GitHubMinerConfig, StoreSeederConfig

REPOS_HELP = "Clone, git URL, or text file that lists some (repeatable)."
EPILOG = """Exit codes: 0 the stores are up to date, 1 something failed (what could be read is merged unless the stores
themselves failed), 2 wrong arguments or settings, 75 another run is at work or GitHub wants a longer pause than
github_miner.max_wait_s (run it again later), 130 interrupted (nothing is half written)."""


def pretraining_command(*, anew: bool, summary: str, help: str) -> click.Command:  # noqa: A002 - click's word
    """The command; `anew` reads repositories from their first commit on."""

    @click.command(
        help=help, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
    )
    @click.option("--config", metavar="FILE", help="Settings file [default: config.yaml, if there is one].")
    @click.option("--stores", metavar="DIR|URL", help="Where the stores lie [default: stores/ in pipeline.outputs].")
    @click.option("--repos", multiple=True, metavar="PATH|URL|FILE", help=REPOS_HELP)
    @click.option("--github/--no-github", "github", default=None, help="Ask GitHub; without it no token is needed.")
    @click.option("--report", "report_path", metavar="FILE", help="Write what was seen, tried and merged as JSON.")
    @click.option("--verbose", is_flag=True, help="Show debug messages, such as the exact git commands.")
    @version_option()
    @with_exit_codes
    def command(
        config: str | None,
        stores: str | None,
        repos: Sequence[str],
        github: bool | None,
        report_path: str | None,
        verbose: bool,
    ) -> None:
        path = Path(config) if config else DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None
        mining, seeding, cache_dir = _settings(path, repos, github)
        logs.setup(verbose=verbose)
        done = pretrain(mining, seeding, stores or seeding.location, cache_dir, anew=anew)
        for sentence in done.failed:
            log.error("%s", sentence)
        if report_path:
            write_json(
                Path(report_path), {**report(done.seeding, done.tally), "repositories left out": dict(done.drops)}
            )
        click.echo(f"{summary}: {done.summary()}")
        if done.resume:
            raise done.resume
        sys.exit(EXIT_FAILED if done.failed else 0)

    return command


def _settings(
    path: Path | None, repos: Sequence[str], github: bool | None
) -> tuple[GitHubMinerConfig, StoreSeederConfig, Path]:
    values: dict[str, dict[str, Any]] = {"github_miner": {}, "store_seeder": {}}
    if repos:
        values["github_miner"]["repositories"] = list(repos)
    if github is not None:
        values["github_miner"]["github"] = github
    sections: dict[str, type[Section]] = {"github_miner": GitHubMinerConfig, "store_seeder": StoreSeederConfig}
    settings = load(path, sections, other_sections=True, values=values)
    mining, seeding = settings.stages["github_miner"], settings.stages["store_seeder"]
    assert isinstance(mining, GitHubMinerConfig)
    assert isinstance(seeding, StoreSeederConfig)
    return mining, seeding, expand(settings.pipeline.cache_dir)
