"""Scores: the same tokens for every model, and a plain calculation as the oracle."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from core.models import base_models
from core.scoring.blocks import spread_blocks
from core.scoring.scores import Targets, bits_per_byte, score
from core.text.grammar import CODE_START, COMMIT_END, COMMIT_START
from core.text.vocabulary import Vocabulary


def test_score_equals_a_plain_calculation(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    base_models.fit_to_vocabulary(model, vocabulary)
    ids = vocabulary.encode([["fn handler", CODE_START, "(x: u32) é"]])[0]
    stream = torch.tensor(ids)
    targets = Targets.of(stream, [(0, len(ids))], vocabulary)
    scores = score(model, stream, targets)
    with torch.no_grad():
        logs = model(torch.tensor([ids])).logits[0].log_softmax(dim=-1)
    losses = [-float(logs[place, ids[place + 1]]) for place in range(len(ids) - 1)]
    assert scores.nats == pytest.approx(losses, rel=1e-4)
    assert scores.correct is not None
    assert scores.correct.tolist() == [int(logs[n].argmax()) == ids[n + 1] for n in range(len(ids) - 1)]
    assert targets.text.sum() == len(ids) - 2
    first = len(vocabulary.decode(ids[:1]).encode())
    assert targets.text_bytes.sum() == len("fn handler(x: u32) é".encode()) - first
    expected = sum(losses) / math.log(2) / int(targets.text_bytes.sum())
    assert bits_per_byte(scores.nats, targets) == pytest.approx(expected, rel=1e-4)


def test_candidates_are_scored_together_with_the_targets(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    base_models.fit_to_vocabulary(model, vocabulary)
    stream = torch.tensor(vocabulary.encode([["fn handler(x: u32) -> u32 { x }"]])[0])
    targets = Targets.of(stream, spread_blocks(len(stream), 4, None), vocabulary)
    same = score(model, stream, targets, candidates=stream.numpy()[targets.positions])
    assert same.candidate_nats is not None
    assert (same.candidate_nats == same.nats).all()


def test_what_stands_in_front_of_a_block_is_seen_and_not_scored(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    base_models.fit_to_vocabulary(model, vocabulary)
    ids = np.array(vocabulary.encode([["fn handler(x: u32) -> u32 { x }"]])[0])
    stream, middle, end = torch.from_numpy(ids), len(ids) // 2, len(ids)
    whole = score(model, stream, Targets.of(stream, [(0, end)], vocabulary))
    shown = Targets.of(stream, [(middle, end)], vocabulary, contexts=[ids[:middle]])
    split = score(model, stream, shown, candidates=ids[shown.positions])
    assert split.nats == pytest.approx(whole.nats[middle:], rel=1e-5)
    assert split.candidate_nats == pytest.approx(split.nats)
    assert (score(model, stream, Targets.of(stream, [(middle, end)], vocabulary)).nats != split.nats).any()
    some = np.zeros(len(ids), bool)
    some[end - 1] = True
    counted = Targets.of(stream, [(middle, end)], vocabulary, counted=some)
    assert counted.text_bytes.sum() == len(vocabulary.decode([int(ids[-1])]).encode())


def test_text_is_counted_by_commit(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    texts = ["fn a() é", "", "def part(x): return x"]
    ids = vocabulary.encode([[piece for text in texts for piece in (COMMIT_START, text, COMMIT_END) if piece]])[0]
    targets = Targets.of(torch.tensor(ids), [(0, 9), (9, len(ids))], vocabulary)
    assert targets.text_bytes.sum() == sum(len(text.encode()) for text in texts) - (
        len(ids) > 9 and _bytes_at(ids, 9, vocabulary)
    )
    assert len(targets.text_bytes) == 3
    assert targets.text_bytes[1] == 0


def _bytes_at(ids: list[int], place: int, vocabulary: Vocabulary) -> int:
    """Bytes of text in a token that is context only."""
    return 0 if ids[place] in vocabulary.own_ids else len(vocabulary.decode([ids[place]]).encode())


def test_masked_commits_are_scored_as_if_alone(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    base_models.fit_to_vocabulary(model, vocabulary)
    one, two = vocabulary.encode([[COMMIT_START, "fn a() {}", COMMIT_END], [COMMIT_START, "def part(x)", COMMIT_END]])
    stream = torch.tensor([*one, *two])
    together = score(model, stream, Targets.of(stream, [(0, len(stream))], vocabulary, masked=True))
    alone = score(model, stream, Targets.of(stream, [(len(one), len(stream))], vocabulary))
    assert together.nats[len(one) :] == pytest.approx(alone.nats, rel=1e-3)
    seeing = score(model, stream, Targets.of(stream, [(0, len(stream))], vocabulary))
    assert seeing.nats[len(one) :] != pytest.approx(alone.nats, rel=1e-3)
