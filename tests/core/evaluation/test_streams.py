"""A history in the tokens of another vocabulary is the same text."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from made_adapters import FIRST_VALUES, SECOND_VALUES, commit, write_outputs

from core.evaluation import streams as module
from core.evaluation.streams import Streams
from core.fusion.histories import INPUTS
from core.models import base_models
from core.text.grammar import AUTHOR, FILE_START
from core.text.vocabulary import Vocabulary


def vocabularies(model: Path, cache: Path) -> list[Vocabulary]:
    made = []
    for values in (FIRST_VALUES, SECOND_VALUES):
        tokenizer, pad, _ = base_models.load_tokenizer(str(model), cache)
        made.append(Vocabulary.of_base_model(tokenizer, pad, str(model), values))
    return made


def test_texts_stay_and_values_get_the_tokens_of_their_names(
    roomy_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_COMMITS_AT_ONCE", 2)
    first, second = vocabularies(roomy_model, tmp_path)
    commits = [commit(name, "src/both.py", f"return {number}") for number, name in enumerate(["Ada", "Grace"] * 3)]
    outputs = write_outputs(tmp_path / "outputs", first, list(itertools.chain(*commits)), commits[0], commits[1])
    before = Streams.read({name: outputs / name for name in INPUTS})
    after = before.written_with(second)
    for old, new in ((before.train, after.train), (before.val, after.val), (before.test, after.test)):
        assert second.pieces(new.tolist()) == first.pieces(old.tolist())
    own, other = (one.values[FILE_START, "src/both.py"] for one in (first, second))
    assert own != other
    assert own in before.val.tolist()
    assert other in after.val.tolist()
    assert second.values[AUTHOR, "Grace"] in after.test.tolist()
    assert before.written_with(first) is before
