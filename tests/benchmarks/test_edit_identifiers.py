"""Which edits are asked for, what may be copied then, and the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from benchmarks.edit_identifiers import MIXED, PRECISION, RECALL, SHORTER, as_long, before_test, needing, table
from core.evaluation.streams import Streams
from core.evaluation.written_edits import EditPrompt
from core.prediction.predictor import Predictor
from core.records.evaluation import NEAREST, NEAREST_CODE
from core.scoring.copying import Cache
from core.text.edits import Edit

NOWHERE = Edit((0, 0), (0, 0), (0, 0), (0, 0), (0, 0))


def test_only_edits_that_need_an_identifier_are_asked_for() -> None:
    named = [EditPrompt(NOWHERE, [], [], "round the total", "total()\n")] * 3
    needed = [EditPrompt(NOWHERE, [], [], "round the total", f"round(part_{number})\n") for number in range(5)]
    found = [one for pair in zip(named, needed[:3], strict=True) for one in pair] + needed[3:]
    assert needing(found, 9) == needed
    assert needing(found, 3) == [needed[0], needed[2], needed[4]]
    assert needing(named, 9) == []


def test_nothing_is_copied_from_the_test_split(predictor: Predictor, tmp_path: Path) -> None:
    train, val, test = (torch.tensor(ids) for ids in ([1, 2, 3, 4] * 3, [5, 6, 7, 8] * 3, [5, 6, 9, 10] * 9))
    copying = before_test(Streams(train, val, test, predictor.vocabulary), Cache(np.full(Cache.SHAPE, 0.5)), tmp_path)
    assert copying.index.copier([7, 8, 5, 6]).guess()[0] == 7
    assert copying.index.copier([6, 9]).guess()[0] != 10


def test_code_is_cut_to_the_length_of_what_the_model_wrote(predictor: Predictor) -> None:
    vocabulary = predictor.vocabulary
    (part,) = vocabulary.encode([["def part(x):"]])
    found = as_long(vocabulary, ["def part(x):", "def part(x):", "x"], ["", "return", "def part(x):"])
    length = len(vocabulary.encode([["return"]])[0])
    assert 0 < length < len(part)
    assert found == ["", vocabulary.decode(part[:length]), "x"]


def test_the_recall_of_the_model_is_paired_with_that_of_each_other() -> None:
    found = {
        MIXED: [{RECALL: 0.5, PRECISION: 0.25}, {RECALL: 0.5}],
        NEAREST: [{RECALL: 0.0}, {RECALL: 0.0}],
        NEAREST_CODE: [{RECALL: 0.25, PRECISION: 0.1}, {RECALL: 0.25, PRECISION: 0.3}],
        SHORTER: [{RECALL: 0.0}, {RECALL: 0.25}],
    }
    counts, _, _, mixed, nearest, code, shorter = table({"one": found, "two": found}, 50)
    assert counts == "one: 2 edits; two: 2 edits"
    assert mixed == "| fine-tuned + cache | 50.0% [50.0%, 50.0%] |  | 25.0% [25.0%, 25.0%] | 2 |"
    assert nearest == "| nearest past edit | 0.0% [0.0%, 0.0%] | 50.0% [50.0%, 50.0%] |  | 0 |"
    assert code.startswith("| nearest code | 25.0% [25.0%, 25.0%] | 25.0% [25.0%, 25.0%] | 20.0% [")
    assert shorter.startswith("| nearest code, as long as the model's | 12.5% [")
