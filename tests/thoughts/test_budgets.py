"""Whatever jobs come when: within any time, no more is used than the cap and what flowed in meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from thoughts.budgets import DAY_S, Bucket

CAP, RATE = 20.0, 0.5
seconds = st.floats(0, 40)
amounts = st.sampled_from([1.0, CAP / 2, CAP, 50.0]) | st.floats(0, 50)
"""The round ones meet the bounds."""


@dataclass
class Running:
    """A job that has not used all of what it reserved."""

    reserved: float
    used: float = 0.0


class Spending(RuleBasedStateMachine):
    """Jobs start, use something of what they reserved now and then, end, or are lost with their worker."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.bucket = Bucket(CAP, 0.0, RATE, CAP, 0.0)
        self.jobs: list[Running] = []
        self.spent: list[tuple[float, float]] = []

    @rule(step=st.sampled_from([1.0, CAP / RATE]) | seconds)
    def wait(self, step: float) -> None:
        self.now += step

    @rule(step=seconds)
    def set_clock_back(self, step: float) -> None:
        self.bucket = self.bucket.filled(self.now - step)

    @rule(most=amounts)
    def start(self, most: float) -> None:
        self.bucket = self.bucket.filled(self.now)
        if self.bucket.allows(most):
            share = self.bucket.share(most)
            self.bucket = self.bucket.reserve(share)
            self.jobs.append(Running(share))

    @rule(part=st.sampled_from([0.5, 1.0]), which=st.integers(0, 9))
    def use(self, part: float, which: int) -> None:
        if self.jobs:
            job = self.jobs[which % len(self.jobs)]
            amount = part * (job.reserved - job.used)
            job.used += amount
            self.spent.append((self.now, amount))

    @rule(which=st.integers(0, 9), lost=st.booleans())
    def end(self, which: int, lost: bool) -> None:
        if self.jobs:
            job = self.jobs.pop(which % len(self.jobs))
            self.bucket = self.bucket.filled(self.now).settle(job.reserved, job.reserved if lost else job.used)

    def teardown(self) -> None:
        for first, (start, _) in enumerate(self.spent):
            total = 0.0
            for at, amount in self.spent[first:]:
                total += amount
                assert total <= CAP + RATE * (at - start) + 1e-6


TestSpending = Spending.TestCase


@given(level=st.floats(-50, 20), reserved=st.floats(0, 20), step=seconds)
def test_filling_in_two_steps_is_filling_in_one(level: float, reserved: float, step: float) -> None:
    bucket = Bucket(min(level, CAP - reserved), reserved, RATE, CAP, 0.0)
    once, twice = bucket.filled(step), bucket.filled(step / 3).filled(step)
    assert abs(once.level - twice.level) < 1e-6
    assert once.level + once.reserved <= CAP + 1e-9


def test_what_is_reserved_does_not_flow_in_again() -> None:
    bucket = Bucket(CAP, 0.0, RATE, CAP, 0.0).reserve(CAP)
    assert not bucket.filled(1e6).allows(1)
    assert bucket.filled(1e6).settle(CAP, 5).level == CAP - 5


def test_a_debt_is_paid_before_anything_starts() -> None:
    bucket = Bucket(10.0, 0.0, 10.0 / DAY_S, 10.0, 0.0).reserve(4).settle(4, 16)
    assert bucket.level == -6
    assert not bucket.filled(0.5 * DAY_S).allows(1)
    assert bucket.filled(0.8 * DAY_S).allows(1)
    assert bucket.allows(0)


def test_what_has_no_budget_never_starts() -> None:
    assert not Bucket(0.0, 0.0, 0.0, 0.0, 0.0).filled(1e9).allows(0.001)
