"""Are the findings that are shown those that a history goes on to change?

    python -m benchmarks.smells REPO … --tools ruff --tools lizard

Each repository is asked a year before its newest commit: what is shown by the past of each rule, and what became of it
within the year. Beside it stand the first findings as they come, all findings (a random choice), pieces of as many
lines anywhere, and the share of lines that changed anyway. Intervals draw repositories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from core.git import trees
from core.git.repositories import open_repository
from core.statistics import Numbers, of_mean
from miners.clones import name_of
from thoughts.sandbox.standing import best_tier
from thoughts.smells.findings import PAST_FILES, Finding, Looked, Tool, findings_at
from thoughts.smells.tools import DEFAULT, chosen
from thoughts.smells.uptake import (
    YEAR_S,
    Changed,
    Fates,
    Window,
    changed_in,
    fates_of,
    uptake_of,
    windows,
    worth_showing,
)

COLUMNS = (
    *("", "tools", "findings", "shown", "changed of the shown", "of the first", "of all findings"),
    *("of as many lines anywhere", "of all lines"),
)
BESIDE = ("the first", "all findings", "twice as many lines anywhere", "twice all lines")
TIMES = np.array([1, 1, 2, 2])


class Row(NamedTuple):
    """What was shown of a repository, and the shares of it and of what stands beside it that were changed."""

    findings: int
    shown: int
    changed: float
    beside: tuple[float, ...]


@click.command()
@click.argument("repos", nargs=-1, required=True)
@click.option("--shown", "most", default=20, type=click.IntRange(1), show_default=True, help="Findings to show.")
@click.option("--tools", "names", multiple=True, help="Tools to ask, each alone and all together [default: ruff].")
def main(repos: Sequence[str], most: int, names: Sequence[str]) -> None:
    """Are the findings that are shown those that a history goes on to change?"""
    tools = chosen(names or DEFAULT, ())[0]
    sets = {tool.name: [tool] for tool in tools} | ({"all": tools} if len(tools) > 1 else {})
    rows: dict[str, dict[str, Row]] = {name: {} for name in sets}
    click.echo(f"| {' | '.join(COLUMNS)} |\n|---|---|{'---:|' * (len(COLUMNS) - 2)}")
    for repo in repos:
        found = asked(repo, sets, most)
        if not found:
            click.echo(f"| {name_of(repo)} | | | 0 | | | | | |")
        for name, row in found.items():
            if row.shown:
                rows[name][repo] = row
            figures = " | ".join(f"{one:.3f}" for one in (row.changed, *row.beside)) if row.shown else " | | | |"
            click.echo(f"| {name_of(repo)} | {name} | {row.findings:,} | {row.shown} | {figures} |")
    for name, some in rows.items():
        if some:
            _summary(name, list(some.values()))
    if "all" in rows:
        for name, some in rows.items():
            both = [(rows["all"][one], row) for one, row in some.items() if name != "all"]
            if both:
                _say(f"all tools over {name}", np.array([one.changed - other.changed for one, other in both]))


def _summary(name: str, rows: Sequence[Row]) -> None:
    changed, beside = np.array([row.changed for row in rows]), np.array([row.beside for row in rows])
    click.echo(f"\n{name}: of {len(rows)} repositories {changed.mean():.3f}; beside it {beside.mean(axis=0).round(3)}")
    for place, what in enumerate(BESIDE):
        _say(f"{name} over {what}", changed - TIMES[place] * beside[:, place])


def asked(repo: str, sets: Mapping[str, Sequence[Tool]], most: int) -> dict[str, Row]:
    """What each set of tools shows of a repository a year ago, and what became of it."""
    git_dir = open_repository(repo, Path(repo)).git_dir
    tip = trees.commit_named(git_dir, "HEAD")
    commit = trees.commit_at(git_dir, tip, trees.time_of(git_dir, tip) - YEAR_S)
    if not commit:
        return {}
    tools = {tool.name: tool for some in sets.values() for tool in some}
    years: dict[str, list[Fates]] = {name: [] for name in tools}
    now: dict[str, Looked] = {}
    later: dict[str, Changed] = {}
    for name, tool in tools.items():
        for one in windows(git_dir, commit):
            looked = findings_at(git_dir, one.old, tool, best_tier(), PAST_FILES)
            years[name].append(fates_of(looked, changed_in(git_dir, one, tool.suffixes)))
        now[name] = findings_at(git_dir, commit, tool, best_tier())
        later[name] = changed_in(git_dir, Window(commit, tip), tool.suffixes)
    return {name: _row([tool.name for tool in some], now, later, years, most) for name, some in sets.items()}


def _row(
    names: Sequence[str],
    looked: Mapping[str, Looked],
    later: Mapping[str, Changed],
    years: Mapping[str, Sequence[Fates]],
    most: int,
) -> Row:
    changed = Changed(
        {path: rows for name in names for path, rows in later[name].rows.items()},
        {path for name in names for path in later[name].gone},
    )
    kept = [one for name in names for one in looked[name].findings if one.path not in changed.gone]
    shown = worth_showing(kept, uptake_of({name: years[name] for name in names}), most)
    if not shown:
        return Row(len(kept), 0, 0.0, ())
    lines = {path: count for name in names for path, count in looked[name].lines.items()}
    base = fates_of(Looked(shown, lines), changed)
    anywhere = sum(base.chance.values()) / len(shown)
    beside = (_changed(kept[:most], changed), _changed(kept, changed), anywhere, base.changed / base.lines)
    return Row(len(kept), len(shown), _changed(shown, changed), beside)


def _changed(findings: Sequence[Finding], changed: Changed) -> float:
    return float(np.mean([changed.touches(one.path, one.first, one.last) for one in findings]))


def _say(what: str, values: Numbers) -> None:
    found = of_mean(values, samples=5000, seed=0)
    interval = f" [{found['low']:+.3f}, {found['high']:+.3f}]" if found["n"] > 1 else ""
    click.echo(f"{what} {found['mean']:+.3f}{interval} ({found['n']} repositories)")


if __name__ == "__main__":
    main()
