"""Does it pay to study first what was found useful for its CPU time?

    python -m benchmarks.frontier --worlds 12

Made worlds: kinds of study that differ in what they cost, in how much they find, and in how useful that is, which also
differs by area. Each day brings jobs, and the budget is a part of what they would take. Whoever reads what is found
marks some of it: useful insights are kept or read, useless ones dismissed or left alone. Every order sees the same
worlds; what it brings is the useful insights of its time, as a share of what somebody who knows the true payoffs has.
With drift, what people find useful changes after half of the time.
"""

from __future__ import annotations

import math
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import click
import numpy as np

from core.statistics import Numbers, of_mean
from thoughts.frontier.beliefs import Belief, Beliefs
from thoughts.frontier.payoffs import Arm, Payoff, Ran, payoffs_of
from thoughts.queue import OLDEST_EVERY

KINDS, AREAS, DAYS = 8, 5, 60
DAY_S = 86_400.0
MARKED = 0.3
"""Of what is found, how much somebody looks at."""


@dataclass
class World:
    """What is true, and unknown."""

    cost: dict[str, float]
    """CPU minutes of a job, by kind."""
    finds: dict[str, float]
    """Insights of a job, by kind."""
    useful: dict[Arm, float]
    arms: list[Arm]

    def payoff(self, arm: Arm) -> float:
        """Useful insights a minute."""
        return self.finds[arm.kind] * self.useful[arm] / self.cost[arm.kind]


@dataclass(frozen=True)
class Job:
    """A job, and what it would find."""

    arm: Arm
    day: int
    number: int
    minutes: float
    found: int


def world_of(seed: int) -> World:
    """A world."""
    chance = random.Random(seed)
    kinds, areas = [f"kind {n}" for n in range(KINDS)], [f"area {n}/" for n in range(AREAS)]
    arms = [Arm(kind, area) for kind in kinds for area in areas]
    cost = {kind: chance.lognormvariate(-0.7, 1.2) for kind in kinds}
    finds = {kind: chance.uniform(0.3, 1.5) for kind in kinds}
    return World(cost, finds, usefulness(arms, chance), arms)


def usefulness(arms: Sequence[Arm], chance: random.Random) -> dict[Arm, float]:
    """How much of what each arm finds is useful."""
    of_kind = {arm.kind: chance.gauss(-0.5, 1.0) for arm in arms}
    of_area = {arm.area: chance.gauss(0.0, 0.7) for arm in arms}
    return {arm: 1 / (1 + math.exp(-of_kind[arm.kind] - of_area[arm.area] - chance.gauss(0, 0.5))) for arm in arms}


@dataclass(frozen=True)
class Morning:
    """What an order may look at."""

    world: World
    known: list[Payoff]
    runs: Counter[str]
    chance: random.Random


Order = Callable[[Morning], Callable[[Arm], float]]
"""What an order thinks of each arm today; more comes first."""


def by_chance(now: Morning) -> Callable[[Arm], float]:
    """Priorities that somebody gave the kinds without knowing the repository."""
    order = list(now.world.cost)
    return lambda arm: -order.index(arm.kind)


def in_turn(now: Morning) -> Callable[[Arm], float]:
    """One kind after the other."""
    return lambda arm: -now.runs[arm.kind]


def cheapest(now: Morning) -> Callable[[Arm], float]:
    """What takes the least time."""
    return lambda arm: -now.world.cost[arm.kind]


def best_mean(now: Morning) -> Callable[[Arm], float]:
    """The best until now."""
    beliefs = Beliefs(now.known)
    means = {arm: beliefs.of(arm).mean for arm in now.world.arms}
    return means.__getitem__


def of_kinds(now: Morning) -> Callable[[Arm], float]:
    """The same without areas."""
    beliefs = Beliefs(now.known)
    means = {kind: (beliefs.kinds.get(kind) or beliefs.all).mean for kind in now.world.cost}
    return lambda arm: means[arm.kind]


def thompson(now: Morning) -> Callable[[Arm], float]:
    """What may be the best: a draw of what is believed of each arm."""
    beliefs = Beliefs(now.known)
    drawn = {arm: _draw(beliefs.of(arm), now.chance) for arm in now.world.arms}
    return drawn.__getitem__


def thompson_of_shares(now: Morning) -> Callable[[Arm], float]:
    """The same, but a draw of a kind's useful share alone; the rest as expected."""
    beliefs = Beliefs(now.known)
    kinds = {kind: beliefs.kinds.get(kind) or beliefs.all for kind in now.world.cost}
    drawn = {kind: now.chance.betavariate(one.useful, one.useless) / one.share for kind, one in kinds.items()}
    means = {arm: beliefs.of(arm).mean * drawn[arm.kind] for arm in now.world.arms}
    return means.__getitem__


def _draw(belief: Belief, chance: random.Random) -> float:
    return chance.gammavariate(belief.found, 1 / belief.minutes) * chance.betavariate(belief.useful, belief.useless)


def perfect(now: Morning) -> Callable[[Arm], float]:
    """What is the best."""
    return now.world.payoff


ORDERS: dict[str, Order] = {
    "fixed by chance": by_chance, "kinds in turn": in_turn, "cheapest first": cheapest, "best mean": best_mean,
    "kinds alone": of_kinds, "Thompson": thompson, "Thompson of shares": thompson_of_shares, "perfect": perfect,
}  # fmt: skip
OURS = "best mean"


def brought(order: Order, seed: int, budget: float, *, drifts: bool) -> float:
    """Useful insights of an order in a world."""
    world, chance, people = world_of(seed), random.Random(seed + 1), random.Random(seed + 2)
    work = random.Random(seed + 3)
    per_day = budget * sum(world.cost[arm.kind] for arm in world.arms)
    waiting: dict[Arm, deque[Job]] = {arm: deque() for arm in world.arms}
    past: list[Ran] = []
    runs: Counter[str] = Counter()
    total, left, count = 0.0, 0.0, 0
    for day in range(DAYS):
        if drifts and day == DAYS // 2:
            world = replace(world, useful=usefulness(world.arms, random.Random(seed + 4)))
        for arm in world.arms:
            for _ in range(_poisson(1.0, work)):
                count += 1
                minutes = world.cost[arm.kind] * work.lognormvariate(-0.125, 0.5)
                waiting[arm].append(Job(arm, day, count, minutes, _poisson(world.finds[arm.kind], work)))
        left = min(left + per_day, per_day)
        value = order(Morning(world, payoffs_of(past, day * DAY_S), runs, chance))
        today: dict[Arm, Ran] = {}
        while left > 0 and (arms := [arm for arm in world.arms if waiting[arm]]):
            if order is not perfect and runs.total() % OLDEST_EVERY == OLDEST_EVERY - 1:
                arm = min(arms, key=lambda one: waiting[one][0].number)
            else:
                arm = max(arms, key=lambda one: (value(one), -waiting[one][0].number))
            job = waiting[arm].popleft()
            left -= job.minutes
            runs[arm.kind] += 1
            useful = sum(people.random() < world.useful[arm] for _ in range(job.found))
            total += useful
            today[arm] = _marked(today.get(arm), job, day, useful, people)
        past += today.values()
    return total


def _marked(before: Ran | None, job: Job, day: int, useful: int, people: random.Random) -> Ran:
    """What somebody makes of what a job found."""
    old = before or Ran(job.arm.kind, job.arm.area, day * DAY_S, 0.0)
    marks = Counter[str]()
    for number in range(job.found):
        if people.random() < MARKED:
            marks[people.choice(("kept", "read") if number < useful else ("dismissed", "passed_over"))] += 1
        else:
            marks["passed_over"] += 1
    return Ran(
        old.kind, old.area, old.at, old.cpu_s + 60 * job.minutes, old.found + job.found, old.kept + marks["kept"],
        old.read + marks["read"], old.dismissed + marks["dismissed"], old.passed_over + marks["passed_over"],
    )  # fmt: skip


def _poisson(mean: float, chance: random.Random) -> int:
    """Knuth's way."""
    bound, product, count = math.exp(-mean), chance.random(), 0
    while product > bound:
        product *= chance.random()
        count += 1
    return count


def _gain(values: Numbers) -> str:
    found = of_mean(values, samples=5000, seed=0)
    return f"{found['mean']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]"


@click.command()
@click.option("--worlds", default=12, type=click.IntRange(2), show_default=True, help="How many.")
def main(worlds: int) -> None:
    """Does it pay to study first what was found useful for its CPU time?"""
    others = [name for name in ORDERS if name not in (OURS, "perfect")]
    click.echo(f"| budget | drift | {' | '.join(name for name in ORDERS if name != 'perfect')} |")
    click.echo(f"|---|---|{'---:|' * (len(ORDERS) - 1)}")
    gains = []
    for drifts in (False, True):
        for budget in (0.1, 0.25, 0.5):
            cells = {
                name: np.array([brought(order, seed * 10, budget, drifts=drifts) for seed in range(worlds)], float)
                for name, order in ORDERS.items()
            }
            shares = {name: cells[name] / cells["perfect"] for name in ORDERS if name != "perfect"}
            figures = " | ".join(f"{share.mean():.3f}" for share in shares.values())
            click.echo(f"| {budget:.0%} | {'yes' if drifts else 'no'} | {figures} |")
            gains += [
                f"- {budget:.0%}{', drift' * drifts}: {OURS} over {name} {_gain(shares[OURS] - shares[name])}"
                for name in others
            ]
    click.echo("\n" + "\n".join(gains))


if __name__ == "__main__":
    main()
