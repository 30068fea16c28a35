"""How often are the files of past commits found, beside recency, frequency and similar messages alone?

    python -m benchmarks.files REPOSITORY… [--commits 120] [--ranker outputs/ranker.json]

The newest commits of each clone, without merges and those of more than ten files, are questions to their parents, each
of which knows its ancestors only. Prints Markdown: a table a form of question, by repository and pooled, with 95 %
bootstrap intervals over commits. Weights are the shipped ones unless a file is named.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.evaluation.file_rankings import Result, evaluation, results
from core.git.names import display_name
from core.prediction.files import FileAsker
from core.ranking.examples import cases
from core.ranking.ranker import Ranker
from core.records.evaluation import Estimate
from core.records.rankings import BASELINES, DECAYED, FORMS, RANKER, SIMILAR, FormTable
from index.repository import RepositoryIndex

POOLED = "pooled"
HITS = ("hit@1", "hit@5")


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("repositories", nargs=-1, required=True, metavar="REPOSITORY…")
@click.option("--commits", default=120, type=click.IntRange(1), show_default=True, help="Newest commits of each.")
@click.option("--ranker", type=click.Path(path_type=Path), metavar="FILE", help="Weights [default: the shipped ones].")
@click.option("--plain", is_flag=True, help="Leave out bots, version bumps and near-repeats of an earlier title.")
@click.option("--cache-dir", default="", metavar="DIR", help="Where indexes are kept [default: pipeline.cache_dir].")
@with_exit_codes
def main(repositories: tuple[str, ...], commits: int, ranker: Path | None, plain: bool, cache_dir: str) -> None:
    """Print how often the changed files of past commits are found."""
    weights = Ranker.read(ranker) if ranker else Ranker.shipped()
    found: dict[str, list[Result]] = {}
    for place in repositories:
        name = clone_name(place)
        found[name] = list(answered(place, commits, weights, cache_folder(cache_dir)))
        click.echo(f"{name}: {len({one.commit for one in found[name]})} commits", err=True)
    everything = [one for some in found.values() for one in some]
    routine = evaluation(everything, [], samples=0, seed=0).routine
    click.echo(f"routine commits: {', '.join(f'{number} {why}' for why, number in routine.items()) or 'none'}")
    kept = {name: [one for one in some if not (plain and one.routine)] for name, some in found.items()}
    click.echo("\n".join(in_markdown(kept)))


def clone_name(place: str) -> str:
    """owner/name from folders such as owner+name/repo; otherwise the folder's name."""
    part = next((part for part in reversed(Path(place).resolve().parts) if "+" in part), "")
    return part.replace("+", "/", 1) if part else display_name(place, place)


def answered(place: str, most: int, ranker: Ranker, cache_dir: Path) -> Iterator[Result]:
    """The newest commits of a clone in every form."""
    with contextlib.closing(FileAsker(place, cache_dir, RepositoryIndex)) as asker:
        known = asker.sources.commits(tip := asker.commit())
        for case in cases(known, tip, most):
            yield from results(asker.snapshot(case.parent), case, ranker)


def in_markdown(found: Mapping[str, Sequence[Result]]) -> Iterator[str]:
    """A table for each form of question."""
    every = {**found, POOLED: [one for some in found.values() for one in some]} if len(found) > 1 else found
    tables = {name: evaluation(some, [], samples=1000, seed=17).forms for name, some in every.items()}
    for form, title in FORMS.items():
        rows = {name: table[form] for name, table in tables.items() if form in table}
        if not rows:
            continue
        names = [name for name in (RANKER, *BASELINES) if name in next(iter(rows.values())).accuracy]
        yield f"\n**{title[0].upper()}{title[1:]}** (right at 1 / at 5)\n"
        gains = ["better than the better of recency and frequency"]
        gains += ["better than similar messages"] * (SIMILAR in names)
        header = ["", "questions", *names, *gains, "ECE", f"log-loss ({DECAYED})", "CPU ms"]
        yield f"| {' | '.join(header)} |"
        yield f"|---{'|---:' * (len(header) - 1)}|"
        for name, table in rows.items():
            yield f"| {' | '.join([name, str(table.questions), *row(table, names)])} |"


def row(table: FormTable, names: Sequence[str]) -> list[str]:
    """The cells of a table's line."""
    accuracies = [
        " / ".join(f"{table.accuracy[name][hit].mean or 0:.3f}".lstrip("0") for hit in HITS) for name in names
    ]
    gains = [gain(table, {hit: table.better_baseline(hit) for hit in HITS})]
    if SIMILAR in names:
        gains.append(gain(table, dict.fromkeys(HITS, SIMILAR)))
    loss = f"{table.log_loss[RANKER]:.2f} ({table.log_loss[DECAYED]:.2f})"
    return [*accuracies, *gains, f"{table.calibration_error:.3f}", loss, f"{table.milliseconds:.0f}"]


def gain(table: FormTable, baselines: Mapping[str, str]) -> str:
    """Differences to a baseline, by hit."""
    return " / ".join(difference(table.differences[name][hit]) for hit, name in baselines.items())


def difference(found: Estimate) -> str:
    """A difference with its interval."""
    interval = f" [{found.low:+.3f}, {found.high:+.3f}]" if found.low is not None else ""
    return f"{found.mean or 0:+.3f}{interval}"


if __name__ == "__main__":
    main()
