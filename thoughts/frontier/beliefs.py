"""What an arm is believed to bring for a minute of CPU time: insights a minute, times the share of them that is useful.

An arm that is little known is taken for one of its kind, and a kind for one of all. What is believed is a Gamma and a
Beta distribution; jobs come by its mean. Drawing from it instead (Thompson 1933) finds less in made worlds
(docs/study.md): arms run out of jobs and every tenth run is of the oldest, so that all are tried anyway.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from thoughts.frontier.payoffs import Arm, Payoff

STRENGTH = 6.0
"""How many judged insights of an arm weigh as much as all of its kind."""
MOST_BOOST = 10.0
"""What the best of the arms that wait gets above its priority. Kinds' own priorities differ by less."""


@dataclass(frozen=True)
class Belief:
    """What is believed of an arm."""

    found: float
    minutes: float
    useful: float
    useless: float

    @property
    def rate(self) -> float:
        """Insights a minute."""
        return self.found / self.minutes

    @property
    def share(self) -> float:
        """Of them that is useful."""
        return self.useful / (self.useful + self.useless)

    @property
    def mean(self) -> float:
        """Useful insights a minute."""
        return self.rate * self.share

    def with_more(self, payoffs: Iterable[Payoff]) -> Belief:
        """What is believed of a part of this, after what it brought."""
        more = list(payoffs)
        return Belief(
            1 + sum(one.found for one in more),
            1 / self.rate + sum(one.minutes for one in more),
            STRENGTH * self.share + sum(one.useful for one in more),
            STRENGTH * (1 - self.share) + sum(one.useless for one in more),
        )


ANYTHING = Belief(1.0, 1.0, 1.0, 1.0)
"""Of what nothing is known."""


class Beliefs:
    """What is believed of arms, from what they brought."""

    def __init__(self, payoffs: Sequence[Payoff]) -> None:
        self.all = ANYTHING.with_more(payoffs)
        kinds: defaultdict[str, list[Payoff]] = defaultdict(list)
        for one in payoffs:
            kinds[one.kind].append(one)
        self.kinds = {kind: self.all.with_more(some) for kind, some in kinds.items()}
        self.arms = {Arm(one.kind, one.area): self.kinds[one.kind].with_more([one]) for one in payoffs}

    def of(self, arm: Arm) -> Belief:
        """Of an arm, known or not."""
        return self.arms.get(arm) or self.kinds.get(arm.kind, self.all).with_more(())


def boosts(arms: Iterable[Arm], payoffs: Sequence[Payoff]) -> dict[Arm, float]:
    """What jobs of these arms get above their priority: the more, the more is expected of the arm.

    Nothing, before somebody has judged an insight: then the priorities of the kinds stand.
    """
    known = sorted(set(arms))
    if not any(one.useful + one.useless for one in payoffs):
        return dict.fromkeys(known, 0.0)
    beliefs = Beliefs(payoffs)
    order = sorted(known, key=lambda arm: (beliefs.of(arm).mean, arm))
    return {arm: MOST_BOOST * (place + 1) / len(order) for place, arm in enumerate(order)}
