"""Are the findings that are shown those that a history goes on to change?

    python -m benchmarks.smells REPO …

Each repository is asked a year before its newest commit: what is shown by the past of each rule, and what became of it
within the year. Beside it stand the first findings in ruff's own order, all findings (a random choice), and the share
of lines that changed anyway. Intervals draw repositories.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from core.git import trees
from core.git.repositories import open_repository
from core.statistics import Numbers, of_mean
from miners.clones import name_of
from thoughts.sandbox.standing import best_tier
from thoughts.smells.findings import Finding, Looked, findings_at
from thoughts.smells.ruff import Ruff
from thoughts.smells.uptake import YEAR_S, Changed, Window, changed_in, fates_of, uptake_of, windows, worth_showing

COLUMNS = ("", "findings", "shown", "changed of the shown", "of ruff's first", "of all findings", "of all lines")
TOOL = Ruff()


@click.command()
@click.argument("repos", nargs=-1, required=True)
@click.option("--shown", "most", default=20, type=click.IntRange(1), show_default=True, help="Findings to show.")
def main(repos: Sequence[str], most: int) -> None:
    """Are the findings that are shown those that a history goes on to change?"""
    click.echo(f"| {' | '.join(COLUMNS)} |\n|---|{'---:|' * (len(COLUMNS) - 1)}")
    rows = []
    for repo in repos:
        row = asked(repo, most)
        if row is None:
            click.echo(f"| {name_of(repo)} | | 0 | | | | |")
            continue
        rows.append(row[2:])
        click.echo(
            f"| {name_of(repo)} | {row[0]:,.0f} | {row[1]:.0f} | {' | '.join(f'{one:.3f}' for one in row[2:])} |"
        )
    if not rows:
        return
    table = np.array(rows)
    click.echo(f"| mean of {len(rows)} | | | {' | '.join(f'{one:.3f}' for one in table.mean(axis=0))} |\n")
    for name, other in (
        ("twice all lines", 2 * table[:, 3]),
        ("ruff's first", table[:, 1]),
        ("all findings", table[:, 2]),
    ):
        click.echo(f"shown over {name} {_gain(table[:, 0] - other)}")


def asked(repo: str, most: int) -> tuple[float, ...] | None:
    """(findings, shown, and the shares that were changed: of shown, ruff's first, all findings, all lines)."""
    git_dir = open_repository(repo, Path(repo)).git_dir
    tip = trees.commit_named(git_dir, "HEAD")
    commit = trees.commit_at(git_dir, tip, trees.time_of(git_dir, tip) - YEAR_S)
    if not commit:
        return None
    years = [
        fates_of(_looked(git_dir, one.old), changed_in(git_dir, one, TOOL.suffixes)) for one in windows(git_dir, commit)
    ]
    now, later = _looked(git_dir, commit), changed_in(git_dir, Window(commit, tip), TOOL.suffixes)
    kept = [one for one in now.findings if one.path not in later.gone]
    chosen = worth_showing(kept, uptake_of(years), most)
    if not chosen:
        return None
    base = fates_of(now, later)
    shares = [_changed(some, later) for some in (chosen, kept[:most], kept)]
    return len(kept), len(chosen), *shares, base.changed / base.lines


def _looked(git_dir: Path, commit: str) -> Looked:
    return findings_at(git_dir, commit, [TOOL], best_tier())


def _changed(findings: Sequence[Finding], changed: Changed) -> float:
    return float(np.mean([changed.touches(one.path, one.first, one.last) for one in findings]))


def _gain(values: Numbers) -> str:
    found = of_mean(values, samples=5000, seed=0)
    interval = f" [{found['low']:+.3f}, {found['high']:+.3f}]" if found["n"] > 1 else ""
    return f"{found['mean']:+.3f}{interval}"


if __name__ == "__main__":
    main()
