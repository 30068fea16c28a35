"""Whatever a model writes parses: held to the grammar at each step, for any choice and any budget."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
import torch

from core.prediction.completing import Stopper, complete
from core.prediction.predictor import Predictor
from core.prediction.reading import Reading
from core.prediction.search import new_path
from core.prediction.streaming import pieces_of, spelled_for_people
from core.prediction.writing import Sampling, Writer
from core.text.grammar import (
    ADDED,
    AFTER,
    BEFORE,
    CHANGES,
    CODE_END,
    CODE_START,
    COMMIT_END,
    COMMIT_START,
    FILE_END,
    FILE_START,
    KEPT,
    REMOVED,
    SYMBOL,
    CodeView,
    CommitText,
    Marker,
    commit_head,
    parse,
    pieces_of_spelled,
)
from core.text.vocabulary import Vocabulary

PATHS = ["src/lib.rs", "README.md", "docs/é.md", "no_language"]


def head(predictor: Predictor) -> list[int]:
    about = CommitText(year="2024", month="01", author=("Ada",), message=("add it",))
    return predictor.vocabulary.encode([commit_head(about)])[0]


def text_ids(written: list[int], vocabulary: Vocabulary) -> int:
    """How many of the ids are text in symbols and code."""
    places = {vocabulary.markers[marker] for marker in (SYMBOL, CODE_START, BEFORE, AFTER, KEPT, REMOVED, ADDED)}
    inside = count = 0
    for id_ in written:
        if id_ in vocabulary.own_ids:
            inside = id_ in places
        else:
            count += inside
    return count


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("budget", [1, 3, 40])
@pytest.mark.parametrize("view", ["new", "before_after", "edit"])
def test_what_is_written_always_parses(predictor: Predictor, seed: int, budget: int, view: CodeView) -> None:
    asker = Predictor(predictor.model, predictor.vocabulary, 256, view)
    ranking = asker.rank([], head(predictor), PATHS, top=3, new_files=seed % 2 == 0)
    written = list(asker.write(ranking, budget, Sampling(temperature=1.5, seed=seed)))
    pieces = predictor.vocabulary.pieces([*head(predictor), *written])
    (commit,) = parse(pieces)
    assert text_ids(written, predictor.vocabulary) <= budget
    known = {*PATHS, ranking.first.name if ranking.first else ""}
    assert {"".join(file.path) for file in commit.files} <= known
    if view in ("new", "edit"):
        assert not any(c.after or (c.before and view == "new") for file in commit.files for c in file.changes)
    assert asker.prediction(ranking, written).commit == commit


def test_the_likeliest_is_written_without_a_temperature(predictor: Predictor) -> None:
    ranking = predictor.rank([], head(predictor), PATHS)
    once, twice = (list(predictor.write(ranking, 9)) for _ in range(2))
    assert once == twice
    drawn = {tuple(predictor.write(ranking, 9, Sampling(1.0, 1.0, seed))) for seed in range(5)}
    assert len(drawn) > 1
    narrow = {tuple(predictor.write(ranking, 9, Sampling(1.0, 1e-9, seed))) for seed in range(3)}
    assert narrow == {tuple(once)}


@pytest.mark.parametrize("top_p", [0.0, 1e-300, 1e-9])
@pytest.mark.parametrize("temperature", [0.0, 1e-300, 1.0, 2.0])
@pytest.mark.parametrize("seed", [-1, 0, -(2**63), 2**64 - 1])
def test_a_tiny_share_takes_the_likeliest(top_p: float, temperature: float, seed: int) -> None:
    logits = torch.tensor([1.0, 3.0, 2.0, -torch.inf])
    assert Sampling(temperature, top_p, seed).chooser()(logits) == 1


def test_a_closing_marker_takes_no_text(predictor: Predictor) -> None:
    ranking = predictor.rank([], head(predictor), PATHS)
    assert ranking.first
    reading = ranking.reading.branch()
    reading.feed(ranking.first.ids)
    writer = Writer(reading, predictor.vocabulary, ranking.tree)
    pieces = predictor.vocabulary.pieces(list(writer.write(0, 99)))
    assert pieces[-3:] == [CODE_END, FILE_END, COMMIT_END]
    assert all(type(piece) is Marker for piece in pieces)


class Endless(Reading):
    """A model that always writes one more change, or one more file, without any text."""

    def branch(self) -> Reading:
        return self

    def feed(self, ids: Sequence[int]) -> None:
        pass


@pytest.mark.parametrize("another", [next(iter(CHANGES.values())), FILE_START])
def test_a_model_that_writes_no_text_comes_to_an_end(predictor: Predictor, another: Marker) -> None:
    ranking = predictor.rank([], head(predictor), PATHS)
    markers = predictor.vocabulary.markers
    logits = torch.zeros_like(ranking.reading.logits)
    logits[:, markers[CODE_START]] = logits[:, markers[CODE_END]] = 1
    logits[:, markers[another]] = 2
    ranking.reading = Endless(predictor.model, logits, None)
    room = predictor.width - ranking.context_tokens
    written = list(itertools.islice(predictor.write(ranking, 7), 100_000))
    assert room < len(written) < room + 7 + 100
    (commit,) = parse(predictor.vocabulary.pieces([*head(predictor), *written]))
    assert len([*commit.files, *(change for file in commit.files for change in file.changes)]) > 10


@pytest.mark.parametrize("most_ids", range(12))
@pytest.mark.parametrize("seed", range(3))
def test_a_commit_parses_wherever_its_ids_are_spent(predictor: Predictor, most_ids: int, seed: int) -> None:
    ranking = predictor.rank([], head(predictor), PATHS)
    assert ranking.first
    reading = ranking.reading.branch()
    reading.feed(ranking.first.ids)
    writer = Writer(reading, predictor.vocabulary, ranking.tree, sampling=Sampling(temperature=2.0, seed=seed))
    written = [*ranking.first.ids, *writer.write(40, most_ids)]
    assert parse(predictor.vocabulary.pieces([*head(predictor), *written]))


def test_a_new_path_is_one_that_is_not_known(predictor: Predictor) -> None:
    vocabulary = predictor.vocabulary
    reading = Reading.of(predictor.model, [*head(predictor), vocabulary.markers[FILE_START]])
    found = new_path(reading.branch(), set(), predictor.vocabulary)
    if found is not None:
        assert found.new
        assert 0 <= found.probability <= 1
        assert new_path(reading.branch(), {found.name}, predictor.vocabulary) is None


def test_branches_do_not_disturb_each_other(predictor: Predictor) -> None:
    ids = head(predictor)
    reading = Reading.of(predictor.model, ids)
    other = reading.branch()
    other.feed([5, 6, 7])
    reading.feed([9])
    for made, extra in ((other, [5, 6, 7]), (reading, [9])):
        with torch.no_grad():
            expected = predictor.model(torch.tensor([[*ids, *extra]])).logits[:, -1]
        torch.testing.assert_close(made.logits, expected, rtol=1e-3, atol=1e-4)


def test_text_is_streamed_as_it_is_written(predictor: Predictor) -> None:
    vocabulary = predictor.vocabulary
    pieces = [COMMIT_START, "fn handler() é 🎉", CHANGES["bug_fix"], "x", BEFORE, "日本", AFTER]
    ids = vocabulary.encode([pieces])[0]
    told = list(pieces_of(iter(ids), vocabulary))
    assert "".join(told) == "".join(pieces)
    assert len(told) > len(pieces)
    assert all("\ufffd" not in piece for piece in told)


def test_a_commit_for_people(predictor: Predictor) -> None:
    ranking = predictor.rank([], head(predictor), PATHS)
    ids = predictor.write(ranking, 12)
    text = "".join(spelled_for_people(pieces_of(ids, predictor.vocabulary)))
    assert text.startswith(f"\n--- {ranking.files[0].name}")
    assert f"[{ranking.change_type}]" in text
    assert "<" not in text


def test_plain_completion_ends_at_the_end_of_a_commit(predictor: Predictor) -> None:
    assert pieces_of_spelled("a<COMMIT_START>b<X>") == ["a", COMMIT_START, "b<X>"]
    written = list(complete(predictor.model, predictor.vocabulary, head(predictor), 7, Sampling()))
    assert 0 < len(written) <= 7
    assert predictor.vocabulary.markers[COMMIT_END] not in written


@pytest.mark.parametrize(
    ("texts", "stops", "told", "done"),
    [
        (["ab", "c"], [], "abc", False),
        (["ab", "cd"], ["bc"], "a", True),
        (["x", "y"], ["z"], "xy", False),
        (["a\n", "\nb"], ["\n\n"], "a", True),
        (["aab"], ["b", "aa"], "", True),
    ],
)
def test_stop_texts(texts: list[str], stops: list[str], told: str, done: bool) -> None:
    stopper = Stopper(stops)
    got = ""
    for text in texts:
        got += stopper.ready(text)
        if stopper.done:
            break
    assert (got + stopper.held, stopper.done) == (told, done)
