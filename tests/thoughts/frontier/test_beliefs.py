"""What is expected of arms, and what comes first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from thoughts.frontier.beliefs import ANYTHING, MOST_BOOST, Beliefs, boosts
from thoughts.frontier.payoffs import Arm, Payoff

amounts = st.floats(0, 1000)


def payoff(kind: str, area: str = "", *, minutes: float = 10.0, useful: float = 0.0, useless: float = 0.0) -> Payoff:
    return Payoff(kind, area, 1, minutes, useful + useless, useful, useless)


def test_nothing_is_ordered_before_somebody_has_judged() -> None:
    arms = [Arm("fuzz", ""), Arm("risk", "")]
    assert set(boosts(arms, []).values()) == {0.0}
    assert set(boosts(arms, [Payoff("fuzz", "", 9, 100.0, 5.0)]).values()) == {0.0}


def test_useful_and_cheap_comes_first_and_dismissed_last() -> None:
    known = [
        payoff("kept", useful=5),
        payoff("dear", useful=5, minutes=20),
        payoff("dismissed", useless=5),
        payoff("empty", minutes=200),
    ]
    given = boosts([Arm(one.kind, "") for one in known] * 2, known)
    assert sorted(given, key=lambda arm: -given[arm]) == [
        Arm(name, "") for name in ("kept", "dear", "dismissed", "empty")
    ]
    assert max(given.values()) == MOST_BOOST
    assert min(given.values()) > 0


def test_an_area_without_runs_is_taken_for_one_of_its_kind_and_an_unknown_kind_for_one_of_all() -> None:
    known = [payoff("good", "src/", useful=20), payoff("bad", "src/", useless=20)]
    beliefs = Beliefs(known)
    assert (
        beliefs.of(Arm("good", "docs/")).mean > beliefs.of(Arm("new", "")).mean > beliefs.of(Arm("bad", "docs/")).mean
    )
    known.append(payoff("good", "docs/", useless=20))
    later = Beliefs(known)
    assert (
        later.of(Arm("good", "docs/")).mean < later.of(Arm("good", "tests/")).mean < later.of(Arm("good", "src/")).mean
    )


@given(minutes=amounts, useful=amounts, useless=amounts)
def test_beliefs_stay_within_what_was_seen_and_believed_before(minutes: float, useful: float, useless: float) -> None:
    one = Payoff("k", "", 1, minutes, useful + useless, useful, useless)
    found = ANYTHING.with_more([one])
    total = useful + useless
    seen = useful / total if total else ANYTHING.share
    low, high = sorted((seen, ANYTHING.share))
    assert low - 1e-9 <= found.share <= high + 1e-9
    assert found.rate > 0
    again = found.with_more([one])
    assert abs(again.share - seen) <= abs(found.share - seen) + 1e-9
