"""Edits are compared by what they add; what the question shows already does not count."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.evaluation.streams import Streams
from core.evaluation.written_edits import EditPrompt, compare, metrics, prompts, without_model, written
from core.prediction.predictor import Predictor
from core.text.edits import Edit
from core.text.grammar import ChangeText, CommitText, FileText, plain, serialise
from core.text.hunks import hunks

NOWHERE = Edit((0, 0), (0, 0), (0, 0), (0, 0), (0, 0))


def prompt(truth: str, asked: str = "fix total in billing: def total(items): pass") -> EditPrompt:
    return EditPrompt(NOWHERE, [], [], asked, truth)


@pytest.mark.parametrize(
    ("truth", "text", "expected"),
    [
        ("    return round(items)\n", "    return round(items)\n", (1.0, 1.0, 1.0, 1.0)),
        ("    return round(items)\n", "", (0.0, None, 0.0, 0.0)),
        ("  total(items)\n", "  total(items)\n", (None, None, 1.0, 1.0)),  # all of it is in the question
        ("a = round(x)\nb = floor(x)\n", "a = round(x)\n", (0.6, 1.0, 0.5, None)),
        ("a = 1\n", "a = 1\na = 1\n", (1.0, 1.0, 1.0, 1.0)),
    ],
)
def test_only_what_is_new_counts(truth: str, text: str, expected: tuple[float | None, ...]) -> None:
    found = metrics(text, prompt(truth))
    names = ("identifier_recall", "identifier_precision", "exact_lines", "line_similarity")
    for name, value in zip(names, expected, strict=True):
        if value is not None:
            assert found[name] == pytest.approx(value)
        elif name != "line_similarity":
            assert name not in found


def commit(predictor: Predictor, message: str, path: str, before: str, after: str) -> list[int]:
    change = ChangeText(
        change_type="bug_fix",
        symbol_kind="function",
        symbol=("f",),
        before=plain(before),
        edit=hunks(plain(before), plain(after)),
    )
    file = FileText(path=(path,), language="rust", changes=[change])
    made = CommitText(year="2024", month="05", author=("Ada",), message=(message,), files=[file])
    return [id_ for ids in predictor.vocabulary.encode(serialise(made)) for id_ in ids]


@pytest.fixture
def streams(predictor: Predictor) -> Streams:
    def stream(*commits: list[int]) -> torch.Tensor:
        return torch.tensor([id_ for one in commits for id_ in one], dtype=torch.int64)

    train = stream(
        commit(predictor, "round the total", "a.rs", "f\n", "f\nusers\n"),
        commit(predictor, "sort the users", "b.rs", "f\n", "f\nsorted\n"),
    )
    val = stream(commit(predictor, "log errors", "c.rs", "f\n", "f\nlogged\n"))
    test = stream(
        commit(predictor, "sort the users by name", "b.rs", "f\ng\n", "f\nby_name\n"),
        commit(predictor, "remove g", "b.rs", "f\ng\n", "f\n"),
        commit(predictor, "zzz", "x.rs", "long line of code\n" * 60, "y\n"),
    )
    return Streams(train, val, test, predictor.vocabulary)


def test_prompts_add_something_and_show_all_the_code(streams: Streams) -> None:
    (only,) = prompts(streams, 128, 9)
    assert only.truth == "by_name\n"
    assert only.lines == ["f\n", "g\n"]
    assert "sort the users by name" in only.asked
    assert streams.vocabulary.decode(only.known).endswith("<BEFORE>f\ng\n")
    assert prompts(streams, 128, 0) == []


def test_baselines_are_what_is_nearest_and_as_long_as_a_model_may_write(streams: Streams) -> None:
    chosen = prompts(streams, 128, 9)
    assert without_model(streams, chosen, 12) == {
        "nothing": [""],
        "nearest past edit": ["sorted\n"],
        "nearest code": ["f\nusers\n"],
    }
    assert without_model(streams, chosen, 1)["nearest past edit"][0] in "sorted\n"[:-1]
    alone = Streams(streams.train[:0], streams.val[:0], streams.test, streams.vocabulary)
    assert without_model(alone, chosen, 12)["nearest past edit"] == [""]


def test_a_model_writes_at_each_prompt(predictor: Predictor, streams: Streams) -> None:
    chosen = prompts(streams, 128, 9)
    texts = written(predictor.model, streams, chosen, 12)
    assert len(texts) == len(chosen)
    table = compare({"model": texts, "nothing": [""]}, chosen, 12, samples=10, seed=1)
    assert table.changes == 1
    assert table.rows["nothing"]["exact_lines"].mean == 0
    assert np.isfinite(table.rows["model"]["line_similarity"].mean or 0.0)
