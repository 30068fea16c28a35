"""What was found useful for the CPU time that it took, by kind and area: what waits is then studied in that order."""

from __future__ import annotations

import msgspec

from thoughts.frontier.beliefs import Beliefs
from thoughts.frontier.payoffs import Arm, Payoff, payoffs_of
from thoughts.kind import Artifact, Context, Cost, Fact, Input, Kind, Outcome, State

FACT = "payoff"
LOG = "payoffs.txt"
MOST_ARMS = 1_000
_HEAD = f"{'expected':>9} {'runs':>6} {'minutes':>8} {'found':>6} {'useful':>7} {'useless':>7}  kind, area\n"


class Prioritize:
    """Every night. It shows nothing: its facts are what the study draws from whenever it plans."""

    name = "prioritize"
    trigger = "0 3 * * *"
    priority = 3.0

    def inputs(self, state: State) -> list[Input]:
        """The day."""
        return [{"day": f"{state.now:%Y-%m-%d}"}]

    def estimate(self, given: Input) -> Cost:
        """One reading of the runs."""
        return Cost(cpu_s=30, io_bytes=100_000_000, seconds=120)

    def run(self, given: Input, context: Context) -> Outcome:
        """Sum up what each arm cost and brought."""
        payoffs = payoffs_of(context.runs(), context.state.now.timestamp())
        judged = sum(one.useful + one.useless for one in payoffs)
        context.say(f"{len(payoffs):,} arms, {judged:,.1f} insights judged")
        beliefs = Beliefs(payoffs)
        order = sorted(payoffs, key=lambda one: -beliefs.of(Arm(one.kind, one.area)).mean)[:MOST_ARMS]
        facts = [Fact(FACT, f"{one.kind} {one.area}".strip(), msgspec.to_builtins(one), "") for one in order]
        log = _HEAD + "".join(_line(one, beliefs) for one in order)
        return Outcome(artifacts=[Artifact(LOG, log.encode())], facts=facts)


def _line(one: Payoff, beliefs: Beliefs) -> str:
    arm = Arm(one.kind, one.area)
    figures = f"{beliefs.of(arm).mean:>9.3f} {one.runs:>6,} {one.minutes:>8.2f} {one.found:>6.1f}"
    return f"{figures} {one.useful:>7.2f} {one.useless:>7.2f}  {' '.join(arm).strip()}\n"


KIND: Kind = Prioritize()
