"""What use teaches is kept where newer use bears it out and the history loses nothing; one step leads back."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from builders import Repo
from uses_made_up import BASE, noted, replayed

from chat.learning import reranker, training
from chat.learning.replay import Replayed
from chat.learning.use_log import Noted, UseLog
from index.code_index import CodeIndex
from index.search import CLASSES, Learned, Weights

Rows = list[tuple[float, float]]
WORDS, HEADS = 0, 1
"""The feature by which people, or commits, find a place right."""


def drawn(seed: int) -> Rows:
    """Five places, the best first by both features together."""
    draw = random.Random(seed)
    return sorted([(draw.random() * 2, draw.random() * 2) for _ in range(5)], key=lambda row: -sum(row))


def best(rows: Rows, feature: int) -> int:
    return max(range(len(rows)), key=lambda at: rows[at][feature])


def used(number: int, feature: int) -> list[Noted]:
    return [noted(one, drawn(one), opened=[best(drawn(one), feature)]) for one in range(number)]


def history(feature: int, number: int = 40) -> list[Replayed]:
    kinds = ("full", "masked")
    return [
        replayed(at, drawn(900 + at), best(drawn(900 + at), feature), kind) for at in range(number) for kind in kinds
    ]


def test_what_people_open_moves_the_weights() -> None:
    found = reranker.learned(used(60, HEADS), BASE)["plain"]
    assert found["h_all"] > 1 > found["w_all"]
    assert reranker.learned(used(60, HEADS), BASE)["named"] == BASE.documents["named"]
    weaker = reranker.learned(used(60, HEADS), BASE, 1_000.0)["plain"]
    assert 1 < weaker["h_all"] < found["h_all"]


def test_what_was_opened_further_down_counts_more() -> None:
    first, third = (reranker.examples(noted(1, drawn(1), opened=[at]), ["w_all"])[0] for at in (0, 2))
    assert (first.weight, third.weight) == (1.0, 3.0)
    assert third.true.tolist() == [False, False, True, False, False]


def test_a_useful_answer_speaks_for_its_first_place_and_a_useless_one_for_none() -> None:
    (only,) = reranker.examples(noted(1, useful=True), ["w_all"])
    assert only.true.tolist() == [True, False]
    assert reranker.examples(noted(1, useful=False), ["w_all"]) == []
    (opened,) = reranker.examples(noted(1, useful=True, opened=[1]), ["w_all"])
    assert opened.true.tolist() == [False, True]


def test_weights_are_taken_where_newer_use_and_the_history_agree() -> None:
    tuned, verdict = training.weights_of(used(90, HEADS), history(HEADS), BASE, 7.0)
    assert tuned
    assert (tuned.at, tuned.judged, tuned.base) == (7.0, 90, BASE.version)
    assert tuned.documents == reranker.learned(used(90, HEADS), BASE)
    assert verdict == tuned.verdict
    assert "learned from 90 judged answers" in verdict


@pytest.mark.parametrize(
    ("judged", "asked", "why"),
    [
        (used(90, HEADS), history(WORDS), "but in the history mean reciprocal rank changes by"),
        (used(90, HEADS), history(HEADS)[:20], "the history has too few questions"),
        (used(20, HEADS), history(HEADS), "too few judged answers (20)"),
        ([*used(60, HEADS), *used(90, WORDS)[60:]], history(HEADS), "as it was; learned weights:"),
        ([], history(HEADS), "too few judged answers (0)"),
    ],
    ids=["history", "short history", "little use", "other use later", "no use"],
)
def test_weights_stay_where_anything_speaks_against_others(
    judged: Sequence[Noted], asked: Sequence[Replayed], why: str
) -> None:
    tuned, verdict = training.weights_of(judged, asked, BASE, 1.0)
    assert tuned is None
    assert why in verdict


def test_a_policy_loses_what_stands_behind_its_last_place() -> None:
    fourth = [
        replayed(one, [(9.0 - at, 0.0) for at in range(8)], 3, kind) for one in range(12) for kind in training.KINDS
    ]
    losses = training.losses_of(fourth, BASE)
    assert losses
    assert losses["3 places"] == pytest.approx(0.25)
    assert losses["8 places"] == 0
    assert training.losses_of(fourth[:20], BASE) is None


@pytest.fixture
def index(built: Repo, tmp_path: Path) -> Iterator[CodeIndex]:
    with CodeIndex(built.path / ".git", tmp_path / "cache") as found:
        found.update("HEAD")
        found.follows_use = True
        found.keep(Learned(found.commit or "", 1, BASE, []))
        yield found


def learned(index: CodeIndex, log: UseLog, asked: list[Replayed]) -> training.Night:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "replayed", lambda _: asked)
        return training.learn(index, log)


def note(log: UseLog, some: Sequence[Noted]) -> None:
    for one in some:
        log.note(one)
        for place in one.opened:
            log.open(one.id, f"part{place}.py", 12)


def test_a_night_changes_what_answers_are_put_in_order_by(index: CodeIndex, tmp_path: Path) -> None:
    with closing(UseLog(index.git_dir, tmp_path)) as log:
        assert learned(index, log, history(HEADS)).tuned is None
        assert index.weights == BASE
        note(log, used(90, HEADS))
        night = learned(index, log, history(HEADS))
        assert night.tuned
        assert index.weights.documents == night.tuned.documents != BASE.documents
        index.follows_use = False
        assert index.weights == BASE
        index.follows_use = True
        assert training.in_use(index) == night.verdicts
        assert training.step_back(index, "order").endswith("now: order: as it is without learning from use")
        assert index.weights == BASE
        learned(index, log, history(HEADS))
        assert index.weights == BASE  # nothing was judged since somebody went back
        note(log, [noted(95, drawn(95), opened=[best(drawn(95), HEADS)])])
        learned(index, log, history(HEADS))
        assert index.weights != BASE


def test_what_is_learned_counts_as_long_as_its_base_does(index: CodeIndex, tmp_path: Path) -> None:
    with closing(UseLog(index.git_dir, tmp_path)) as log:
        note(log, used(90, HEADS))
        learned(index, log, history(HEADS))
    other = Weights({}, {one: {"w_all": 2.0} for one in CLASSES}, [])
    index.keep(Learned(index.commit or "", 1, other, []))
    assert index.weights == other


def test_what_newer_questions_lose_by_is_withdrawn(index: CodeIndex, tmp_path: Path) -> None:
    with closing(UseLog(index.git_dir, tmp_path)) as log:
        note(log, used(90, HEADS))
        learned(index, log, history(HEADS))
        assert index.weights != BASE
        night = learned(index, log, history(WORDS))
        assert night.verdicts[-1].startswith("order: what was learned before is withdrawn")
        assert index.weights == BASE


def test_a_step_back_from_nothing_is_said(index: CodeIndex) -> None:
    for what in ("order", "context"):
        assert training.step_back(index, what) == f"{what}: nothing was learned from use, so there is no step back"
