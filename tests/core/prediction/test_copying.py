"""What is measured is what is asked: the mix of a model with its history, token by token as in the evaluation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import UserError
from core.evaluation.continuations import Prompt, written
from core.evaluation.growing_history import GrowingHistory
from core.models.model_folder import ModelInfo
from core.prediction.completing import complete
from core.prediction.copying import Copying, copying_of
from core.prediction.predictor import Predictor
from core.prediction.reading import Reading
from core.prediction.writing import Sampling
from core.records.copying import FOLDER, INFO
from core.scoring.blocks import spread_blocks
from core.scoring.context_index import ContextIndex
from core.scoring.copying import Cache, guesses
from core.scoring.copying_folder import CopyingWriter
from core.scoring.scores import Targets, score
from core.text.grammar import COMMIT_START, ChangeText, CommitText, FileText, commit_head, serialise

PAST = CommitText(
    year="2024",
    month="01",
    author=("Ada",),
    message=("add part_7",),
    files=[
        FileText(
            path=("src/lib.rs",),
            language="rust",
            changes=[
                ChangeText(
                    change_type="new_function", symbol_kind="function", symbol=("part_7",), code=("fn part_7()",)
                )
            ],
        )
    ],
)
"""A commit of the history."""


def ids_of(commit: CommitText, predictor: Predictor) -> list[int]:
    return [id_ for ids in predictor.vocabulary.encode(serialise(commit)) for id_ in ids]


def copying(ids: list[int], weight: float) -> Copying:
    return Copying(ContextIndex(2), Cache(np.full(Cache.SHAPE, weight))).behind(ids)


def test_one_by_one_as_in_the_evaluation(predictor: Predictor) -> None:
    random = np.random.default_rng(0)
    words = random.integers(0, 300, (6, 9))
    earlier, stream = (np.concatenate(words[random.integers(0, 6, 12)]) for _ in range(2))
    stream[::7] = predictor.vocabulary.markers[COMMIT_START]
    cache = Cache(random.random(Cache.SHAPE))
    ids = torch.from_numpy(stream)
    targets = Targets.of(ids, spread_blocks(len(ids), 200, None), predictor.vocabulary)
    guessed = guesses(earlier, stream, targets.positions)
    scores = score(predictor.model, ids, targets, candidates=guessed.ids)
    expected = cache.mix(guessed, scores, stream[targets.positions]).nats
    mix, found = Copying(ContextIndex(2).extended(earlier), cache).mix(stream[:1].tolist()), []
    reading = Reading.of(predictor.model, stream[:1].tolist())
    for id_ in stream[1:].tolist():
        found.append(-float(mix.of(reading.logits[0]).log_softmax(dim=-1)[id_]))
        mix.read([id_])
        reading.feed([id_])
    assert (guessed.ids == stream[targets.positions]).mean() > 0.3
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_a_guess_that_must_not_come_is_not_mixed_in() -> None:
    logits = torch.tensor([1.0, -torch.inf, 2.0])
    mix = copying([1, 1, 1], 0.9).mix([])
    assert mix.copier.guess()[0] == 1
    assert mix.of(logits) is logits
    assert copying([7, 7, 7], 0.9).mix([]).of(logits) is logits  # an id that this model has no row for
    assert copying([], 0.9).mix([]).of(logits) is logits


@pytest.mark.parametrize(("weight", "copies"), [(0.9999, True), (0.0, False)])
def test_a_sketch_copies_where_the_history_is_trusted(predictor: Predictor, weight: float, copies: bool) -> None:
    asker = replace(predictor, width=256)
    head = predictor.vocabulary.encode([commit_head(PAST)])[0]
    past = copying(ids_of(PAST, predictor), weight)
    plain = asker.predict([], head, ["src/lib.rs"], new_files=False)
    made = asker.predict([], head, ["src/lib.rs"], new_files=False, copying=past)
    assert (made.copying, plain.copying) == (True, False)
    assert (made.sketch_symbol == "part_7" and made.sketch == "fn part_7()") == copies
    assert (made.commit == plain.commit) == (not copies)


def test_a_completion_and_measured_code_copy_too(predictor: Predictor) -> None:
    """Behind the beginning of a text that is in the history, in one row of a batch and not in the other."""
    vocabulary = predictor.vocabulary
    (text,) = vocabulary.encode([["pub fn sum(parts: &[u32]) -> u32 { parts.iter().sum() }"]])
    past, most = copying(text, 0.9999), 12
    assert len(text) > most + 9
    completed = list(complete(predictor.model, vocabulary, text[:9], most, Sampling(), past.mix(text[:9])))
    assert completed == text[9 : 9 + most]
    stream = torch.tensor([*text[9:18], *text[:9], *[1] * 20])
    prompts = [Prompt(9, []), Prompt(18, [])]
    history = GrowingHistory(past, stream)
    mixes = [history.up_to(one.position).mix([]) for one in prompts]
    found = written(predictor.model, stream, prompts, vocabulary, 9, most, mixes=mixes)
    assert found == [text[18 : 18 + most], text[9 : 9 + most]]
    plain = written(predictor.model, stream, prompts, vocabulary, 9, most)
    assert plain[0] != found[0]


def test_it_is_used_for_the_model_that_was_measured_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    info = ModelInfo(base_model="x", pad_id=0, values={}, is_adapter=True, settings={})
    caplog.set_level("INFO", "gitlore")

    def reason(model: str | None, cache: Cache | None) -> str:
        caplog.clear()
        if model is not None:
            writer = CopyingWriter(tmp_path / FOLDER, 2)
            writer.add(np.arange(100))
            writer.finish(model, cache)
        assert copying_of(tmp_path / "model", info) is None
        (said,) = {record.getMessage() for record in caplog.records}
        return said

    trusted = Cache(np.full(Cache.SHAPE, 0.5))
    assert "was not measured" in reason(None, None)
    assert "another model" in reason("other", trusted)
    assert "evaluate.cache is off" in reason(info.identity, None)
    writer = CopyingWriter(tmp_path / FOLDER, 2)
    writer.add(np.arange(100))
    writer.finish(info.identity, trusted)
    found = copying_of(tmp_path / "model", info)
    assert found
    assert found.mix([5, 6]).copier.guess() == (7, 1)
    about = json.loads((tmp_path / FOLDER / INFO).read_text())
    (tmp_path / FOLDER / INFO).write_text(json.dumps({**about, "segments": [*about["segments"], about["segments"][0]]}))
    with pytest.raises(UserError, match="cannot be read"):
        copying_of(tmp_path / "model", info)
