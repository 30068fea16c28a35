"""The search for files against trying every one of them."""

from __future__ import annotations

import math

import numpy as np
import torch

from core.prediction.predictor import Predictor
from core.prediction.search import head_of_file
from core.text.grammar import (
    CHANGES,
    FILE_START,
    LANGUAGES_CLOSED,
    ChangeText,
    CommitText,
    FileText,
    commit_head,
    serialise,
)  # fmt: skip
from core.text.stream import commits_in

PATHS = ["src/lib.rs", "src/lib", "src/main.rs", "README.md", "a", "docs/é.md"]


def head(predictor: Predictor) -> list[int]:
    about = CommitText(year="2024", month="01", author=("Ada",), message=("add it",))
    return predictor.vocabulary.encode([commit_head(about)])[0]


def test_search_equals_trying_every_file(predictor: Predictor) -> None:
    prediction = predictor.predict([], head(predictor), PATHS, top=len(PATHS), new_files=False)
    vocabulary = predictor.vocabulary
    start = [*head(predictor), vocabulary.markers[FILE_START]]
    ends = [vocabulary.markers[marker] for marker in LANGUAGES_CLOSED]
    closed = [id_ for id_ in vocabulary.own_ids if id_ not in ends]
    encoded = vocabulary.encode([[path] for path in PATHS])
    expected, kinds = {}, {}
    for path in PATHS:
        ids = vocabulary.encode([[path]])[0]
        with torch.no_grad():
            logits = predictor.model(torch.tensor([[*start, *ids]])).logits[0].double()
            behind = predictor.model(torch.tensor([[*start[:-1], *vocabulary.encode([head_of_file(path)])[0]]])).logits[
                0, -1
            ]
        logits[:, closed] = -math.inf
        logs = logits.log_softmax(dim=-1)
        expected[path] = 1.0
        for place in range(len(ids) + 1):  # at each place: what the known paths have there
            allowed = {tuple(known[place : place + 1]) for known in encoded if known[:place] == ids[:place]}
            chances = {one: float(logs[len(start) - 1 + place, list(one) or ends].exp().sum()) for one in allowed}
            expected[path] *= chances[tuple(ids[place : place + 1])] / sum(chances.values())
        shares = behind[[vocabulary.markers[marker] for marker in CHANGES.values()]].softmax(dim=-1)
        kinds[path] = dict(zip(CHANGES, shares.tolist(), strict=True))
    got = {item.name: item.probability for item in prediction.files}
    assert got.keys() == expected.keys()
    assert all(math.isclose(got[path], expected[path], rel_tol=1e-3) for path in PATHS)
    assert [item.name for item in prediction.files] == sorted(expected, key=lambda path: -expected[path])
    assert prediction.sketch_file == prediction.files[0].name
    whole = sum(expected.values())
    assert math.isclose(whole, 1)
    for item in prediction.change_types:
        mean = sum(expected[path] / whole * kinds[path][item.name] for path in PATHS)
        assert math.isclose(item.probability, mean, rel_tol=1e-3)


def test_long_history_is_cut_to_the_width(predictor: Predictor) -> None:
    prediction = predictor.predict(list(range(200)) * 3, head(predictor), PATHS, top=2, sketch_tokens=4)
    assert len(prediction.files) == 2
    ranking = predictor.rank(list(range(200)) * 3, head(predictor), PATHS)
    assert ranking.context_tokens == 96
    assert len(predictor.vocabulary.encode([[prediction.sketch]])[0]) <= 4 + 4


def test_no_known_files_give_no_answer(predictor: Predictor) -> None:
    assert predictor.predict([], head(predictor), [], new_files=False).files == []


def test_commits_are_read_back(predictor: Predictor) -> None:
    vocabulary = predictor.vocabulary
    one = FileText(
        path=("a.rs",),
        language="rust",
        module=("a",),
        changes=[
            ChangeText(change_type="new_function", symbol_kind="function", symbol=("f",), code=("fn f() {}",)),
            ChangeText(change_type="refactor", symbol_kind="impl", symbol=("T",), before=("x",), after=("y",)),
        ],
    )
    other = FileText(path=("b <CODE_END>",), language="", changes=[ChangeText(change_type="other", symbol_kind="file")])
    commit = CommitText(year="2024", month="01", author=("Ada",), message=("one",), files=[one, other])
    pieces = [piece for sequence in serialise(commit) for piece in sequence]
    ids = vocabulary.encode([pieces])[0]
    first, second = commits_in(np.array(ids * 2), vocabulary)
    assert first.changes == [("a.rs", "new_function"), ("a.rs", "refactor"), ("b <CODE_END>", "other")]
    assert vocabulary.decode(ids[slice(*first.codes[0])]) == "fn f() {}"
    assert len(first.codes) == 3
    assert first.files == ["a.rs", "b <CODE_END>"]
    assert second.changes == first.changes
    assert (first.start, second.start) == (0, len(ids))
    assert vocabulary.decode(ids[: first.head_end]) == "".join(commit_head(commit))
