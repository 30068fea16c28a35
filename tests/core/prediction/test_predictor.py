"""The search for files against trying every one of them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from core import base_models
from core.commit_grammar import (
    CHANGES,
    ChangeText,
    CommitText,
    FileText,
    commit_head,
    serialise,
)  # fmt: skip
from core.prediction.commits import commits_in
from core.prediction.predictor import Predictor
from core.prediction.search import head_of_file
from core.vocabulary import Vocabulary

PATHS = ["src/lib.rs", "src/lib", "src/main.rs", "README.md", "a", "docs/é.md"]


@pytest.fixture(scope="module")
def predictor(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path_factory.mktemp("cache"))
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    base_models.fit_to_vocabulary(model, vocabulary)
    return Predictor(model, vocabulary, width=128)


def head(predictor: Predictor) -> list[int]:
    about = CommitText(year="2024", month="01", author=("Ada",), message=("add it",))
    return predictor.vocabulary.encode([commit_head(about)])[0]


def test_search_equals_trying_every_file(predictor: Predictor) -> None:
    prediction = predictor.predict([], head(predictor), PATHS, top=len(PATHS), new_files=False)
    start = head(predictor)
    changes = [predictor.vocabulary.markers[marker] for marker in CHANGES.values()]
    expected = {}
    for path in PATHS:
        ids = predictor.vocabulary.encode([head_of_file(path)])[0]
        with torch.no_grad():
            logs = predictor.model(torch.tensor([[*start, *ids]])).logits[0].log_softmax(dim=-1)
        total = sum(float(logs[len(start) - 1 + place, id_]) for place, id_ in enumerate(ids))
        expected[path] = math.exp(total) * float(logs[-1, changes].exp().sum())
    got = {item.name: item.probability for item in prediction.files}
    assert got.keys() == expected.keys()
    assert all(math.isclose(got[path], expected[path], rel_tol=1e-3) for path in PATHS)
    assert [item.name for item in prediction.files] == sorted(expected, key=lambda path: -expected[path])
    assert prediction.sketch_file == prediction.files[0].name


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
    first, second = commits_in(torch.tensor(ids * 2), vocabulary)
    assert first.changes == [("a.rs", "new_function"), ("a.rs", "refactor"), ("b <CODE_END>", "other")]
    assert vocabulary.decode(ids[slice(*first.codes[0])]) == "fn f() {}"
    assert len(first.codes) == 3
    assert first.files == ["a.rs", "b <CODE_END>"]
    assert second.changes == first.changes
    assert (first.start, second.start) == (0, len(ids))
    assert vocabulary.decode(ids[: first.head_end]) == "".join(commit_head(commit))
