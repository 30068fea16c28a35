"""What does learning from use bring? Simulated people ask what commits were about, open places and vote.

    python -m benchmarks.learning_from_use CLONE… [--commits 100] [--people 1]

Of a repository's commits, the oldest half is what people ask about, the next fifth is the history that the gate asks,
and the rest is held out. People look at the place of rank k with probability 1/k, open it if it is right (.9) or by
mistake (the noise), and vote in three of ten cases, wrongly with the probability of the noise. Prints Markdown: what
changes on the held-out questions.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import click
import numpy as np

from benchmarks.files import clone_name
from chat.learning import bandit, reranker, training
from chat.learning.bandit import Contexts
from chat.learning.policies import ARMS, DEFAULT, Policy
from chat.learning.replay import Replayed, replayed
from chat.learning.use_log import Found, FoundPlace, Noted
from core import statistics
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.git.repositories import open_repository
from core.logs import log
from index.code_index import CodeIndex
from index.search import Weights

NOISES = (0.05, 0.2, 0.4)
OPENS, VOTES = 0.9, 0.3
TIRES = 0.03
"""Chance that a useful answer is voted down, for each place that stands behind the right one; half of it if terse."""
USED, ASKED = 0.5, 0.2
"""Parts of the commits, the oldest first: those that people ask about, and those that the gate asks."""
NIGHTS = 5
KEPT = 20
SAMPLES, SEED = 1000, 37


@dataclass(frozen=True)
class Row:
    """What came of a repository at one noise."""

    judged: int
    order: Sequence[float]
    """Change of the reciprocal rank of each held-out question with the learned weights, gate or not."""
    is_taken: bool
    """The gate let them through."""
    contexts: Sequence[float]
    """The same by the policies that the last night chooses."""
    votes: Sequence[float]
    """Change of the chance that a vote is favourable."""
    favourite: str


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("clones", nargs=-1, required=True, metavar="CLONE…")
@click.option("--commits", default=100, type=click.IntRange(4), show_default=True, help="To ask about, of each.")
@click.option("--people", default=1, type=click.IntRange(1), show_default=True, help="Who ask each question.")
@click.option("--cache-dir", default="", metavar="DIR", help="Where indexes are kept [default: pipeline.cache_dir].")
@with_exit_codes
def main(clones: tuple[str, ...], commits: int, people: int, cache_dir: str) -> None:
    """Print what learning from use changes on newer questions."""
    click.echo(HEAD)
    rows: dict[float, list[Row]] = {noise: [] for noise in NOISES}
    for clone in clones:
        folder = cache_folder(cache_dir)
        with CodeIndex(open_repository(clone, folder).git_dir, folder) as index:
            index.update("HEAD")
            asked, base = list(replayed(index, commits)), index.base
        for noise in NOISES:
            rows[noise].append(one := row(asked, base, noise, people))
            click.echo(line(clone_name(clone), noise, [one]))
    for noise in NOISES:
        click.echo(line("all", noise, rows[noise]))


HEAD = (
    "| repository | noise | judged | learned order | taken | with the gate | contexts | votes | chosen most |\n"
    "|---|---:|---:|---:|---|---:|---:|---:|---|"
)


def line(name: str, noise: float, rows: Sequence[Row]) -> str:
    """A row of the table, of one repository or of several."""
    learned, gated, contexts, votes = (
        _estimate([value for values in of_each for value in values])
        for of_each in (
            [one.order for one in rows],
            [one.order if one.is_taken else [0.0] * len(one.order) for one in rows],
            [one.contexts for one in rows],
            [one.votes for one in rows],
        )
    )
    taken = f"{sum(one.is_taken for one in rows)} of {len(rows)}"
    most = ", ".join(dict.fromkeys(one.favourite for one in rows))
    judged = f"{sum(one.judged for one in rows):,}"
    return f"| {name} | {noise:.2f} | {judged} | {learned} | {taken} | {gated} | {contexts} | {votes} | {most} |"


def row(asked: Sequence[Replayed], base: Weights, noise: float, people: int) -> Row:
    """Use of the older half, and what it changes on the newer one; `asked` are the newest first."""
    names = list(dict.fromkeys(one.name for one in reversed(asked)))
    parts = (round(USED * len(names)), round((USED + ASKED) * len(names)))
    older, history, newer = (
        [one for one in reversed(asked) if one.name in some]
        for some in (set(names[: parts[0]]), set(names[parts[0] : parts[1]]), set(names[parts[1] :]))
    )
    draw = random.Random(f"{noise} {people}")  # the same people every time
    judged, contexts = used(older, history, base, noise, people, draw)
    documents = reranker.learned(judged, base)
    after = Weights(base.files, documents, base.made_from)
    taken, verdict = training.weights_of(judged, history, base, 0.0)
    log.debug("%s", verdict)
    most = DEFAULT.places
    return Row(
        len(judged),
        [one.rank(after, most) - one.rank(base, most) for one in newer],
        taken is not None,
        _gains(contexts, [[one.rank(base, arm.places) for arm in ARMS] for one in newer]),
        _gains(contexts, [[_pleases(one, base, arm) for arm in ARMS] for one in newer]),
        max(contexts.arms, key=lambda arm: arm.chance).policy.name,
    )


def used(
    older: Sequence[Replayed],
    history: Sequence[Replayed],
    base: Weights,
    noise: float,
    people: int,
    draw: random.Random,
) -> tuple[list[Noted], Contexts]:
    """What people judged in some nights, and the policies of the last one."""
    losses = training.losses_of(history, base)
    contexts, judged = bandit.learned([], losses, 0.0), list[Noted]()
    size = -(-len(older) // NIGHTS)
    for start in range(0, len(older), size):
        for one in older[start : start + size]:
            for _ in range(people):
                (arm,) = draw.choices(contexts.arms, [arm.chance for arm in contexts.arms])
                noted = _noted(one, base, arm.policy, noise, draw, float(len(judged)))
                judged += [noted] if noted.opened or noted.useful is not None else []
        contexts = bandit.learned(judged, losses, 0.0)
    return judged, contexts


def _noted(one: Replayed, base: Weights, policy: Policy, noise: float, draw: random.Random, at: float) -> Noted:
    found, order, features = one.found, one.order(base)[:KEPT], one.found.features.tolist()
    places = [
        FoundPlace(one.places[place][0], 0, 0, float(found.shares[place]), float(found.final[place]), features[place])
        for place in order
    ]
    opened = {
        rank
        for rank, place in enumerate(order[: policy.places])
        if draw.random() < 1 / (rank + 1) and draw.random() < (OPENS if one.right[place] else noise)
    }
    useful = None
    if draw.random() < VOTES:
        useful = (draw.random() < _pleases(one, base, policy)) != (draw.random() < noise)
    names, weights = list(found.names), list(found.weights.values())
    noted = Found(found.of_class, names, weights, places, min(policy.places, len(places)))
    return Noted(f"{at}", at, "where", "", "", policy.name, 1.0, noted, useful, frozenset(opened))


def _pleases(one: Replayed, base: Weights, policy: Policy) -> float:
    """The chance that an honest vote is favourable: the right place is shown, and not much behind it."""
    rank = one.rank(base, policy.places)
    behind = policy.places - 1 / rank if rank else 0.0
    return 1 - TIRES * behind * (0.5 if policy.terse else 1.0) if rank else 0.0


def _gains(contexts: Contexts, values: Sequence[Sequence[float]]) -> list[float]:
    """Of each question, what is to be expected above the default, from the values that the policies have for it."""
    chances = np.array([arm.chance for arm in contexts.arms])
    found: list[float] = (np.array(values) @ chances - np.array(values)[:, 0]).tolist()
    return found


def _estimate(values: Sequence[float]) -> str:
    one = statistics.of_mean(np.array(values), samples=SAMPLES, seed=SEED)
    return f"{one['mean']:+.3f} [{one['low']:+.3f}, {one['high']:+.3f}]" if one["low"] is not None else "-"


if __name__ == "__main__":
    main()
