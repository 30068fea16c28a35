"""Make the table that ships for confidence, patterns/confidence.json, from clones.

    python scripts/fit_confidence.py --repo DIR --repo DIR … --until 2023-01-01

Of each clone, changes of source code on its main line that stood at the end of a quarter: by age, how many kept most
of their lines for another year. Nothing after `--until` is looked at, so that later years can be a test.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core import logs
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.files import write_json
from core.git import refs
from core.git.repositories import open_repository
from core.logs import log
from core.progress import Progress
from miners.clones import name_of
from patterns import survival
from patterns.ages import AGES
from patterns.confidence import TABLE, AgeBin, ConfidenceTable
from patterns.lifetimes import DAY, Lifetimes, Numbers

QUARTER_S, YEAR_S = 91 * DAY, 365 * DAY


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option("--repo", "repos", multiple=True, required=True, metavar="DIR", help="A clone (repeatable).")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Nothing after it is looked at.")
@click.option("--output", default=str(TABLE), metavar="FILE", show_default=True, help="Where to write the table.")
@with_exit_codes
def main(repos: Sequence[str], until: datetime, output: str) -> None:
    """Make the table that ships for confidence from clones."""
    logs.setup(verbose=False)
    end = until.replace(tzinfo=UTC)
    pooled = np.zeros((len(AGES), 2), dtype=np.int64)
    for repo in repos:
        found = counts_by_age(lifetimes_of(repo), int(end.timestamp()))
        log.info("%s: %s", name_of(repo), ", ".join(f"{alive / max(all_, 1):.2f} ({all_:,})" for all_, alive in found))
        pooled += found
    bins = [AgeBin(days, int(all_), int(alive)) for days, (all_, alive) in zip(AGES, pooled, strict=True)]
    table = ConfidenceTable(repositories=sorted(map(name_of, repos)), until=end.date().isoformat(), bins=bins)
    write_json(Path(output), msgspec.to_builtins(table))


def counts_by_age(lives: Lifetimes, end: int) -> Numbers:
    """(changes, of these alive a year later) for each of `AGES`, over the quarters that ended a year or more before."""
    found = np.zeros((len(AGES), 2), dtype=np.int64)
    last = min(end, lives.until) - YEAR_S
    for at in range(last, int(lives.born.min()), -QUARTER_S):
        ages, alive = lives.year_later(at)
        number = np.searchsorted(AGES, ages, side="right") - 1
        found[:, 0] += np.bincount(number, minlength=len(AGES))
        found[:, 1] += np.bincount(number[alive], minlength=len(AGES))
    return found


def lifetimes_of(location: str) -> Lifetimes:
    """How long the changes of a clone's main line kept most of their lines."""
    git_dir = open_repository(location, Path()).git_dir
    with Progress(f"walking {name_of(location)}", unit="commits") as progress:
        return Lifetimes(survival.walk(git_dir, refs.head(git_dir), progress))


if __name__ == "__main__":
    main()
