"""Is the risk of files worth more than their lines of code?

    python -m benchmarks.risk REPO …

Each repository is asked at four moments of its history which files are repaired in the next fifth of it, with weights
learned from the others. AUC and the share of repaired files that are found in 20 % of all lines stand beside lines of
code alone; intervals draw repositories.
"""

from __future__ import annotations

from collections.abc import Sequence

import click
import numpy as np

from core.statistics import Numbers, of_mean
from miners.clones import name_of
from thoughts.risk.measuring import SHARES, Cell, auc, cells_of_clone, recall
from thoughts.risk.weights import Weights, by_line, features_of, fitted, scores

COLUMNS = (
    *("", "moments", "files", "repaired", "AUC", "lines alone", "changes alone"),
    *("recall", "lines alone", "smallest first"),
)


@click.command()
@click.argument("repos", nargs=-1, required=True)
def main(repos: Sequence[str]) -> None:
    """Is the risk of files worth more than their lines of code?"""
    cells = {name_of(repo): [one for one in cells_of_clone(repo, SHARES) if one.says_something] for repo in repos}
    cells = {name: some for name, some in cells.items() if some}
    if not cells:
        click.echo("no repository has enough files and repairs")
        return
    features = {name: [(features_of(one.files), one.repaired) for one in some] for name, some in cells.items()}
    click.echo(
        "| | moments | files | repaired | AUC | lines alone | changes alone | recall | lines alone | smallest first |"
    )
    click.echo("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    rows = []
    for name, some in cells.items():
        learned = fitted([cell for other, held in features.items() if other != name for cell in held])
        figures = np.mean([_figures(one, Weights(learned, [])) for one in some], axis=0)
        rows.append(figures)
        sizes = f"{len(some)} | {np.mean([len(one.files) for one in some]):,.0f}"
        repaired = f"{np.mean([one.repaired.sum() for one in some]):,.0f}"
        click.echo(f"| {name} | {sizes} | {repaired} | {' | '.join(f'{one:.3f}' for one in figures)} |")
    table = np.array(rows)
    click.echo(f"| mean of {len(rows)} | | | | {' | '.join(f'{one:.3f}' for one in table.mean(axis=0))} |")
    click.echo(f"\nAUC over lines alone {_gain(table[:, 0] - table[:, 1])}")
    click.echo(
        f"recall over lines alone {_gain(table[:, 3] - table[:, 4])}, smallest first {_gain(table[:, 3] - table[:, 5])}"
    )
    worse = sorted((float(row[0] - row[1]), name) for name, row in zip(cells, rows, strict=True) if row[0] < row[1])
    click.echo(f"behind lines alone: {', '.join(f'{name} {gain:+.3f}' for gain, name in worse) or 'none'}")


def _figures(cell: Cell, weights: Weights) -> list[float]:
    lines = np.array([one.lines for one in cell.files], float)
    ours = scores(cell.files, weights)
    changes = np.array([one.changes for one in cell.files])
    figures = [auc(order, cell.repaired) for order in (ours, lines, changes)]
    return figures + [recall(order, lines, cell.repaired) for order in (by_line(ours, lines), lines, -lines)]


def _gain(values: Numbers) -> str:
    found = of_mean(values, samples=5000, seed=0)
    interval = f" [{found['low']:+.3f}, {found['high']:+.3f}]" if found["n"] > 1 else ""
    return f"{found['mean']:+.3f}{interval}"


if __name__ == "__main__":
    main()
