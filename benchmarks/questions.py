"""How often is the right place among those that an answer shows? Questions and places are written by hand.

    python -m benchmarks.questions CLONE… [--questions benchmarks/questions.jsonl] [--misses]

Each question is asked at its commit, of the clone whose folder or whose owner+name folder its URL ends with. A place is
right if it lies within one of the question's places, or shares a tenth of the lines of both: a whole file, or a class
that is much larger, is no answer. Prints Markdown: a row a repository.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from benchmarks.files import clone_name
from chat import order
from chat.answer import Answer
from chat.asking import opened
from chat.subjects import OF_PLACES
from core.config import ChatConfig, cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import UserError
from core.statistics import of_mean

FIRST = 5
SHARED = 0.1
"""Of the lines of both places together."""
Span = tuple[str, int, int]
"""A path, its first and its last line."""


@dataclass(frozen=True)
class Outcome:
    """What became of a question."""

    question: str
    rank: int
    """Of the first right place, 0 for none among those that are shown, five at most."""
    known: bool
    seconds: float
    shown: list[Span]


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("clones", nargs=-1, required=True, metavar="CLONE…")
@click.option("--questions", default="benchmarks/questions.jsonl", metavar="FILE", show_default=True, help="To ask.")
@click.option("--misses", is_flag=True, help="List the questions without a right place, with what was shown.")
@click.option("--cache-dir", default="", metavar="DIR", help="Where indexes are kept [default: pipeline.cache_dir].")
@with_exit_codes
def main(clones: tuple[str, ...], questions: str, misses: bool, cache_dir: str) -> None:
    """Print how often the right place is among those that are shown."""
    rows = [json.loads(line) for line in Path(questions).read_text(encoding="utf-8").splitlines()]
    click.echo("| repository | questions | first | shown [95 %] | MRR | not known | median s |")
    click.echo("|---|---|---|---|---|---|---|")
    for clone in clones:
        name = clone_name(clone)
        own = [row for row in rows if row["repository"].removesuffix(".git").endswith(f"/{name}")]
        if not own:
            raise UserError(f"no question is about {name}", "name a clone of a repository that the file has")
        outcomes = list(asked(clone, own, cache_folder(cache_dir)))
        click.echo(row_of(name, outcomes))
        for one in outcomes:
            if misses and not one.rank:
                click.echo(f"  {one.question}", err=True)
                for path, first, last in one.shown:
                    click.echo(f"      {path}:{first}-{last}", err=True)


def asked(clone: str, rows: list[dict[str, str]], cache_dir: Path) -> Iterator[Outcome]:
    """The outcome of each question about a clone."""
    with opened(clone, cache_dir, ChatConfig()) as chat:
        for row in rows:
            chat.update(row["commit"])
            started = time.monotonic()
            answer = chat.ask(row["question"])
            seconds = time.monotonic() - started
            shown = spans(answer)
            places = [span_of(place) for place in row["places"]]
            rank = next((n for n, one in enumerate(shown, start=1) if any(is_right(one, place) for place in places)), 0)
            yield Outcome(row["question"], rank, answer.known, seconds, shown)


def spans(answer: Answer) -> list[Span]:
    """The places that an answer shows, five at most; of callers, the symbols that the lines are in."""
    if answer.kind in OF_PLACES:
        return [(hit.path, hit.first, hit.last) for hit in order.shown(answer.hits)[:FIRST]]
    cited = [one for statement in answer.statements[:FIRST] for one in statement.citations if one.path]
    return [(one.path, one.first, one.last) for one in cited]


def span_of(place: str) -> Span:
    """A place that is written as path:first-last."""
    path, _, lines = place.rpartition(":")
    first, _, last = lines.partition("-")
    return path, int(first), int(last)


def is_right(shown: Span, place: Span) -> bool:
    """Whether a place that is shown is one that answers."""
    if shown[0] != place[0]:
        return False
    common = min(shown[2], place[2]) - max(shown[1], place[1]) + 1
    whole = max(shown[2], place[2]) - min(shown[1], place[1]) + 1
    return common > 0 and (common == shown[2] - shown[1] + 1 or common / whole >= SHARED)


def row_of(name: str, outcomes: list[Outcome]) -> str:
    """A row of the table."""
    ranks = np.array([one.rank for one in outcomes])
    first, five = (ranks == 1).mean(), of_mean((ranks > 0).astype(np.float64), samples=2000, seed=0)
    bounds = f" [{five['low']:.0%}, {five['high']:.0%}]" if five["low"] is not None else ""
    reciprocal = np.mean([1 / rank if rank else 0.0 for rank in ranks])
    unknown = sum(not one.known for one in outcomes)
    seconds = np.median([one.seconds for one in outcomes])
    return (
        f"| {name} | {len(outcomes)} | {first:.0%} | {five['mean']:.0%}{bounds} | {reciprocal:.2f} "
        f"| {unknown} | {seconds:.2f} |"
    )


if __name__ == "__main__":
    main()
