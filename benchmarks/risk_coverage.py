"""Does coverage say which files are repaired next, beyond what their history and size say?

    python -m benchmarks.risk_coverage --moment CLONE COMMIT REPORT …

A moment is a commit of a clone's main line with a coverage report of its tests. Files are asked for repairs in the next
fifth of the history. What did not run is added to the shipped score as a rank, with the weight that was best on the
other clones; files without coverage are in the middle. Intervals draw clones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from core.git import raw_log, trees
from core.git.repositories import open_repository
from core.statistics import of_mean
from miners.clones import name_of
from thoughts.risk.coverage.covered import Ran, coverage_of, current
from thoughts.risk.files import repairs_of
from thoughts.risk.measuring import auc, cell_at
from thoughts.risk.weights import Floats, ranks, scores, shipped

WEIGHTS = np.arange(-2.0, 2.01, 0.1)
"""Those that are tried. The shipped ones are between .3 and 3."""
ADDED: dict[str, Callable[[Ran], float]] = {
    "share that did not run": lambda one: 1 - one.ran / one.lines,
    "lines that did not run": lambda one: float(one.lines - one.ran),
}


@dataclass(frozen=True)
class Moment:
    """Files of a commit, in one order."""

    name: str
    score: Floats
    repaired: NDArray[np.bool_]
    ran: list[Ran | None]

    def auc(self, added: Callable[[Ran], float], weight: float) -> float:
        """Of the score with what did not run added to it."""
        known = np.array([one is not None for one in self.ran])
        rank = np.zeros(len(self.ran))
        rank[known] = ranks(np.array([added(one) for one in self.ran if one]))
        return auc(self.score + weight * rank, self.repaired)


@click.command()
@click.option("--moment", "moments", nargs=3, multiple=True, required=True, metavar="CLONE COMMIT REPORT")
def main(moments: Sequence[tuple[str, str, str]]) -> None:
    """Does coverage say which files are repaired next, beyond what their history and size say?"""
    found = [_moment(*one) for one in moments]
    click.echo(f"| | files | with coverage | repaired | AUC | {' | '.join(f'+ {name}' for name in ADDED)} |")
    click.echo(f"|---|---:|---:|---:|---:|{'---:|' * len(ADDED)}")
    gains: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in ADDED}
    for one in found:
        base, shown = auc(one.score, one.repaired), list[str]()
        others = [other for other in found if other.name != one.name]
        for name, added in ADDED.items():
            reached = one.auc(added, _best(others, added))
            gains[name][one.name].append(reached - base)
            shown.append(f"{reached:.3f}")
        counts = f"{len(one.ran)} | {sum(each is not None for each in one.ran)} | {int(one.repaired.sum())}"
        click.echo(f"| {one.name} | {counts} | {base:.3f} | {' | '.join(shown)} |")
    click.echo()
    for name, by_clone in gains.items():
        means = np.array([np.mean(some) for some in by_clone.values()])
        over = of_mean(means, samples=5000, seed=0)
        interval = f" [{over['low']:+.3f}, {over['high']:+.3f}]" if over["n"] > 1 else ""
        click.echo(f"{name}: {over['mean']:+.3f}{interval} in {len(means)} clones")


def _moment(clone: str, revision: str, report: str) -> Moment:
    git_dir = open_repository(clone, Path(clone)).git_dir
    commit = trees.commit_named(git_dir, revision)
    commits = raw_log.logged(git_dir, trees.commit_named(git_dir, "HEAD"))
    cell = cell_at(git_dir, commits, repairs_of(commits), commit)
    coverage = coverage_of(git_dir, commit, [Path(report)])
    assert coverage
    ran = [current(coverage, one) for one in cell.files]
    lines = [one if one and one.lines else None for one in ran]
    return Moment(name_of(clone), scores(cell.files, shipped()), cell.repaired, lines)


def _best(moments: Sequence[Moment], added: Callable[[Ran], float]) -> float:
    """The weight that is best in the mean of some moments; none without any."""
    if not moments:
        return 0.0
    means = [np.mean([one.auc(added, weight) for one in moments]) for weight in WEIGHTS]
    return float(WEIGHTS[int(np.argmax(means))])


if __name__ == "__main__":
    main()
