"""The command line of the two scripts that seed the stores; they first make the project importable."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import click
import msgspec

from core import logs
from core.config import Section, expand, load, settings_file
from core.engine import fingerprint
from core.engine.command import CONTEXT_SETTINGS, version_option, with_exit_codes
from core.errors import EXIT_FAILED
from core.files import write_json
from miners.pretraining import pretrain
from miners.seeder import report
from miners.settings import MiningSettings, SeedingSettings

REPOS_HELP = "Clone, git URL, or text file that lists some (repeatable)."
EPILOG = """Exit codes: 0 the stores are up to date, 1 something failed (what could be read is merged unless the stores
themselves failed), 2 wrong arguments or settings, 75 another run is at work or GitHub wants a longer pause than
github_miner.max_wait_s (run it again later), 130 interrupted (nothing is half written)."""


class _Flags(TypedDict):
    config: str | None
    stores: str | None
    repos: Sequence[str]
    github: bool | None
    report_path: str | None
    verbose: bool


def pretraining_command(*, from_scratch: bool, summary: str, help: str) -> click.Command:  # noqa: A002 - click's word
    """The command. `from_scratch` reads every repository from its first commit on."""

    @click.command(help=help, epilog=EPILOG, context_settings=CONTEXT_SETTINGS)
    @click.option("--config", metavar="FILE", help="Settings file [default: config.yaml, if there is one].")
    @click.option("--stores", metavar="DIR|URL", help="Where the stores are [default: stores/ in pipeline.outputs].")
    @click.option("--repos", multiple=True, metavar="PATH|URL|FILE", help=REPOS_HELP)
    @click.option("--github/--no-github", "github", default=None, help="Ask GitHub; without it no token is needed.")
    @click.option("--report", "report_path", metavar="FILE", help="Write what was seen, tried and merged as JSON.")
    @click.option("--verbose", is_flag=True, help="Show debug messages, such as the exact git commands.")
    @version_option()
    @with_exit_codes
    def command(**flags: Unpack[_Flags]) -> None:
        mining, seeding, cache_dir = _settings(flags)
        logs.setup(verbose=flags["verbose"])
        code = fingerprint.module_digest("miners.repository_miner", cache_dir)
        location = flags["stores"] or seeding.location
        done = pretrain(mining, seeding, location, cache_dir, code, from_scratch=from_scratch)
        if flags["report_path"]:
            found = report(done.seeding, done.tally)
            found.failed, found.repositories_left_out = done.failed, dict(done.collected.drops)
            write_json(Path(flags["report_path"]), msgspec.to_builtins(found))
        click.echo(f"{summary}: {done.summary()}")
        if done.resume:
            raise done.resume
        sys.exit(EXIT_FAILED if done.failed else 0)

    return command


def _settings(flags: _Flags) -> tuple[MiningSettings, SeedingSettings, Path]:
    values: dict[str, Any] = {}
    if flags["repos"]:
        values["repositories"] = list(flags["repos"])
    if flags["github"] is not None:
        values["github"] = flags["github"]
    path = settings_file(flags["config"])
    sections: dict[str, type[Section]] = {"github_miner": MiningSettings, "store_seeder": SeedingSettings}
    settings = load(path, sections, other_sections=True, values={"github_miner": values})
    mining, seeding = settings.stages["github_miner"], settings.stages["store_seeder"]
    assert isinstance(mining, MiningSettings)
    assert isinstance(seeding, SeedingSettings)
    return mining, seeding, expand(settings.pipeline.cache_dir)
