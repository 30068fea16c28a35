"""Do seeded stores help on a repository that they have never seen? The replay, on any set of clones.

    python scripts/evaluate_stores.py --repos ~/src/flask --repos ~/src/black --repos ~/src/click --output evaluated

Holds out each repository in turn and foretells its newest fixes from what others had shown before. Writes
evaluation.json and report.html: every arm, intervals, coverage, and the losers by name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core import logs
from core.config import DEFAULT_CONFIG, PipelineConfig, expand, load
from core.engine import fingerprint
from core.engine.command import version_option, with_exit_codes
from core.errors import UserError
from core.files import atomic_write, make_folder, write_json
from core.git.names import by_folder
from core.progress import Progress
from miners import clones
from miners.clones import Clone
from miners.gate import rule_quality, store_report
from miners.gate.replay import HELD_OUT
from miners.gate.rule_quality import Found, Labelled
from miners.gate.verdicts import Verdict
from miners.repository_miner import Tally, mine, rules_digest
from miners.seeder import STORES, Seeder, try_out
from miners.settings import SeedingSettings
from stores.agent.records import Evidence

HEADINGS = ("target", "uniform", "defaults", "placebo", "own history", "seeded", "over defaults", "over placebo", "")


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
    """Replay what stores would have foretold, on repositories that they do not come from."""
    logs.setup(verbose=verbose)
    if bool(repos) == bool(stores):
        raise UserError("name either clones or stores to evaluate", "--repos PATH (repeatable), or --stores DIR")
    if bugsinpy and not repos:
        raise UserError("BugsInPy's fixes can be held out only while clones are mined", "name the clones with --repos")
    path = Path(config) if config else DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None
    settings = load(path, {"store_seeder": SeedingSettings}, other_sections=True)
    seeding = settings.stages["store_seeder"]
    assert isinstance(seeding, SeedingSettings)
    known = rule_quality.bugs_in_py(bugsinpy, expand(settings.pipeline.cache_dir)) if bugsinpy else set()
    tally = Tally()
    measured: dict[str, tuple[Found, Labelled]] = {}
    if stores:
        verdicts, names = _of_stores(stores), _names(stores)
    else:
        opened = _open(repos, expand(settings.pipeline.cache_dir))
        measured, verdicts = _of_clones(opened, seeding, settings.pipeline, known, tally)
        names = [clone.name for clone in opened]
    evaluation = _as_dict(names, tally, verdicts, measured)
    target = Path(output)
    make_folder(target)
    write_json(target / "evaluation.json", evaluation)
    with atomic_write(target / "report.html") as file:
        file.write(store_report.render(evaluation, verdicts).encode())
    _print(verdicts, measured)
    click.echo(f"{target / 'report.html'} has it in pictures, {target / 'evaluation.json'} in full")


def _open(repos: Sequence[str], cache_dir: Path) -> list[Clone]:
    opened = {
        clone.key: clone for place in by_folder(repos).values() for clone in [clones.open_clone(place, cache_dir)]
    }
    return list(opened.values())


def _of_clones(
    opened: Sequence[Clone], seeding: SeedingSettings, pipeline: PipelineConfig, known: set[str], tally: Tally
) -> tuple[dict[str, tuple[Found, Labelled]], dict[str, dict[str, Verdict]]]:
    """(how well the rules did by repository, verdicts), of clones mined into stores that are gone afterwards."""
    cache_dir = expand(pipeline.cache_dir)
    rules = rules_digest(seeding, fingerprint.module_digest("miners.repository_miner", cache_dir))
    measured: dict[str, tuple[Found, Labelled]] = {}
    with TemporaryDirectory(prefix="gitlore-") as folder, Seeder(Path(folder) / "stores", Path(folder)) as seeder:
        with Progress("mining", len(opened), "repositories") as progress:
            for clone in opened:
                with mine(clone, None, seeding, rules, tally) as mined:
                    mined.evidence = _without(mined.evidence, known)
                    seeder.stage(mined)
                if known:
                    measured[clone.name] = rule_quality.measure(clone, mined.state.facts["dialect"], known)
                progress.advance()
        verdicts: dict[str, dict[str, Verdict]] = {}
        for store in seeder.staged:
            verdicts.update(try_out(store, hold_out=len(opened) > 1))
    return measured, verdicts


def _of_stores(location: str) -> dict[str, dict[str, Verdict]]:
    verdicts: dict[str, dict[str, Verdict]] = {}
    for kind in STORES:
        with kind(location, create=False) as store:
            verdicts.update(try_out(store, hold_out=len(store.evidence.states()) > 1))
    return verdicts


def _names(location: str) -> list[str]:
    with STORES[0](location, create=False) as store:
        return [state.name for state in store.evidence.states().values()]


def _without(evidence: Iterable[Evidence], known: set[str]) -> Iterator[Evidence]:
    return (piece for piece in evidence if piece.sha not in known)


def _as_dict(
    names: Sequence[str],
    tally: Tally,
    verdicts: dict[str, dict[str, Verdict]],
    measured: dict[str, tuple[Found, Labelled]],
) -> dict[str, Any]:
    methods = {one.method for some in verdicts.values() for one in some.values() if one.tried}
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "repositories": list(names),
        "commits": tally.counts["commits"],
        "held_out": HELD_OUT in methods,
        "targets": {
            name: {
                target: {
                    **msgspec.to_builtins(one.figures()),
                    "by unit": {tried.name: tried.bits for tried in one.tried},
                }
                for target, one in some.items()
            }
            for name, some in verdicts.items()
        },
        "seen": dict(tally.counts),
        "left out": dict(tally.drops),
        "rules": list(rule_quality.as_rows(measured)),
    }


def _print(verdicts: dict[str, dict[str, Verdict]], measured: dict[str, tuple[Found, Labelled]]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 200)
    table = Table(
        box=SIMPLE_HEAD, header_style="dim", title="log-loss in bits, and bits saved by seeds", title_style="dim"
    )
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in ("target", "") else "right")
    for row in store_report.table(verdicts):
        table.add_row(*row)
    console.print(table)
    if measured:
        known, found = (
            sum(one.known for one, _ in measured.values()),
            sum(one.by_message for one, _ in measured.values()),
        )
        source = sum(one.in_source for one, _ in measured.values())
        console.print(f"BugsInPy: {found} of {known} known fixes found by their messages, {source} with source files")
        for name, (_, labelled) in measured.items():
            if labelled.fixes >= 20 and labelled.precision is not None:
                figures = f"precision {labelled.precision:.2f}, recall {labelled.recall:.2f}"
                console.print(f"{name}: words find labelled fixes with {figures}")


if __name__ == "__main__":
    main()
