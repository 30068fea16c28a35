"""How much an answer shows follows votes, never at the price of right places."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from builders import Repo
from uses_made_up import noted

from chat.learning import bandit
from chat.learning.bandit import Choice
from chat.learning.policies import ARMS, DEFAULT, Policy
from index import versions
from index.code_index import CodeIndex

NOTHING_LOST = {one.name: 0.0 for one in ARMS}
THREE = Policy(places=3)


def chance_of(policy: Policy, contexts: bandit.Contexts) -> float:
    return next(arm.chance for arm in contexts.arms if arm.policy == policy)


def votes(arm: Policy, useful: int, useless: int) -> list[bandit.Noted]:
    found = [noted(number, useful=number < useful, arm=arm.name) for number in range(useful + useless)]
    return [*found, noted(900, arm=arm.name, opened=[0])]


def test_the_default_is_held_until_votes_say_otherwise() -> None:
    before = bandit.learned([], NOTHING_LOST, 1.0)
    assert chance_of(DEFAULT, before) > 0.6
    assert all(arm.chance > 0 for arm in before.arms)
    praised = bandit.learned([*votes(THREE, 80, 5), *votes(DEFAULT, 30, 30)], NOTHING_LOST, 1.0)
    assert chance_of(THREE, praised) > 0.9
    blamed = bandit.learned(votes(THREE, 2, 30), NOTHING_LOST, 1.0)
    assert chance_of(THREE, blamed) < 0.005
    assert sum(arm.chance for arm in praised.arms) == pytest.approx(1)
    assert praised.judged == 145
    assert praised.name != before.name
    assert praised.verdict.startswith("context: 3 places in ")


def test_what_loses_right_places_is_not_tried_whatever_is_voted() -> None:
    liked = votes(THREE, 200, 0)
    assert chance_of(THREE, bandit.learned(liked, {**NOTHING_LOST, THREE.name: 0.021}, 1.0)) == 0
    assert chance_of(THREE, bandit.learned(liked, {**NOTHING_LOST, THREE.name: 0.019}, 1.0)) > 0.9
    assert chance_of(DEFAULT, bandit.learned(liked, None, 1.0)) == 1


def test_votes_on_other_kinds_of_questions_do_not_count() -> None:
    others = [noted(number, useful=True, arm=THREE.name, kind="why") for number in range(90)]
    assert bandit.learned(others, NOTHING_LOST, 1.0).arms == bandit.learned([], NOTHING_LOST, 1.0).arms


def test_policies_are_chosen_as_often_as_their_version_says(built: Repo, tmp_path: Path) -> None:
    with CodeIndex(built.path / ".git", tmp_path) as index:
        assert bandit.chosen(index, random.Random(1)) == Choice(DEFAULT, 1.0, "default")
        assert bandit.favourite(index) == DEFAULT
        first = bandit.learned([*votes(THREE, 80, 5), *votes(DEFAULT, 30, 30)], NOTHING_LOST, 1.0)
        bandit.keep(index, [first])
        draw = random.Random(1)
        drawn = [bandit.chosen(index, draw) for _ in range(400)]
        assert {one.version for one in drawn} == {first.name}
        assert Counter(one.policy for one in drawn)[THREE] / 400 == pytest.approx(chance_of(THREE, first), abs=0.05)
        assert all(one.chance == chance_of(one.policy, first) for one in drawn)
        assert bandit.favourite(index) == THREE
        bandit.keep(index, versions.withdrawn(bandit.versions(index)))
        assert bandit.chosen(index, draw) == Choice()
