"""Do seeded stores help on a repository that they have never seen? The replay, on any set of clones.

    python scripts/evaluate_stores.py --repos ~/src/flask --repos ~/src/black --repos ~/src/click --output evaluated

Holds out each repository in turn and predicts its newest fixes from what others had shown before. Writes
evaluation.json and report.html: every arm, intervals, coverage, and the losers by name.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core import logs
from core.config import expand, load, settings_file
from core.engine import fingerprint
from core.engine.command import CONTEXT_SETTINGS, version_option, with_exit_codes
from core.errors import EXIT_FAILED, UserError
from core.files import atomic_write, make_folder, write_json
from miners.gate import evaluation, rule_quality, store_report
from miners.gate.evaluation import StoresEvaluation
from miners.repository_miner import rules_of
from miners.settings import SeedingSettings

HEADINGS = ("target", "uniform", "defaults", "placebo", "own history", "seeded", "over defaults", "over placebo", "")


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option(
    "--repos", multiple=True, metavar="PATH|URL|FILE", help="Clone, git URL, or text file that lists some (repeatable)."
)
@click.option("--stores", metavar="DIR|URL", help="Replay the evidence of these stores instead.")
@click.option(
    "--bugsinpy", metavar="DIR", help="Clone of BugsInPy: its fixes are held out, and the rules measured on them."
)
@click.option("--output", default="evaluated", metavar="DIR", show_default=True, help="Where to write.")
@click.option("--config", metavar="FILE", help="Settings file [default: config.yaml, if there is one].")
@click.option("--verbose", is_flag=True, help="Show debug messages.")
@version_option()
@with_exit_codes
def main(
    repos: Sequence[str], stores: str | None, bugsinpy: str | None, output: str, config: str | None, verbose: bool
) -> None:
    """Replay what stores would have predicted, on repositories that they do not come from."""
    logs.setup(verbose=verbose)
    if bool(repos) == bool(stores):
        raise UserError("name either clones or stores to evaluate", "--repos PATH (repeatable), or --stores DIR")
    if bugsinpy and not repos:
        raise UserError("BugsInPy's fixes can be held out only while clones are mined", "name the clones with --repos")
    done = evaluation.of_stores(stores) if stores else _of_clones(repos, bugsinpy, config)
    target = Path(output)
    make_folder(target)
    found = done.as_dict()
    write_json(target / "evaluation.json", found)
    with atomic_write(target / "report.html") as file:
        file.write(store_report.render(found, done.verdicts).encode())
    _print(done)
    click.echo(f"{target / 'report.html'} has it in pictures, {target / 'evaluation.json'} in full")
    sys.exit(EXIT_FAILED if done.tally.failed else 0)


def _of_clones(repos: Sequence[str], bugsinpy: str | None, config: str | None) -> StoresEvaluation:
    path = settings_file(config)
    settings = load(path, {"store_seeder": SeedingSettings}, other_sections=True)
    seeding, cache_dir = settings.stages["store_seeder"], expand(settings.pipeline.cache_dir)
    assert isinstance(seeding, SeedingSettings)
    known = rule_quality.bugs_in_py(bugsinpy, cache_dir) if bugsinpy else frozenset[str]()
    rules = rules_of(seeding, fingerprint.module_digest("miners.repository_miner", cache_dir))
    return evaluation.of_clones(repos, rules, cache_dir, known)


def _print(done: StoresEvaluation) -> None:
    console = Console(width=None if sys.stdout.isatty() else 200)
    table = Table(
        box=SIMPLE_HEAD, header_style="dim", title="log-loss in bits, and bits saved by seeds", title_style="dim"
    )
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in ("target", "") else "right")
    for row in store_report.table(done.verdicts):
        table.add_row(*row)
    console.print(table)
    for line in store_report.rule_lines(done.rules):
        console.print(line)


if __name__ == "__main__":
    main()
