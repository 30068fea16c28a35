"""Scores: the same tokens for every model, and a plain calculation as the oracle."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from core.models import base_models
from core.scoring.scores import Asked, figures, score, spread_blocks
from core.text.grammar import CODE_START, COMMIT_END, COMMIT_START
from core.text.vocabulary import Vocabulary


@given(st.integers(0, 500), st.integers(1, 40), st.one_of(st.none(), st.integers(1, 600)))
def test_blocks_do_not_overlap_and_keep_to_the_budget(length: int, width: int, most: int | None) -> None:
    blocks = spread_blocks(length, width, most)
    assert all(a < b <= length for a, b in blocks)
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(blocks))
    if most is not None:
        assert len(blocks) <= max(most // width, 1)
    elif length > 1:
        assert blocks[0][0] == 0
        assert length - blocks[-1][1] <= 1


def test_blocks_are_spread() -> None:
    starts = [start for start, _ in spread_blocks(1000, 10, 40)]
    assert starts == [120, 370, 620, 870]


def test_score_equals_a_plain_calculation(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    base_models.fit_to_vocabulary(model, vocabulary)
    ids = vocabulary.encode([["fn handler", CODE_START, "(x: u32) é"]])[0]
    stream = torch.tensor(ids)
    asked = Asked.of(stream, [(0, len(ids))], vocabulary, 64)
    scores = score(model, stream, asked)
    found = figures(asked, scores)
    with torch.no_grad():
        logs = model(torch.tensor([ids])).logits[0].log_softmax(dim=-1)
    losses = [-float(logs[place, ids[place + 1]]) for place in range(len(ids) - 1)]
    assert math.isclose(found["loss"], sum(losses) / len(losses), rel_tol=1e-4)
    assert math.isclose(found["perplexity"], math.exp(found["loss"]))
    assert found["tokens"] == len(ids) - 1
    assert found["text_tokens"] == len(ids) - 2
    first = len(vocabulary.decode(ids[:1]).encode())
    assert found["token_accuracy"] == sum(int(logs[n].argmax()) == ids[n + 1] for n in range(len(ids) - 1)) / len(
        losses
    )
    assert found["text_bytes"] == len("fn handler(x: u32) é".encode()) - first
    assert math.isclose(found["bits_per_byte"], sum(losses) / math.log(2) / found["text_bytes"], rel_tol=1e-4)


def test_candidates_are_told_beside_the_targets(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    base_models.fit_to_vocabulary(model, vocabulary)
    stream = torch.tensor(vocabulary.encode([["fn handler(x: u32) -> u32 { x }"]])[0])
    asked = Asked.of(stream, spread_blocks(len(stream), 4, None), vocabulary, 4)
    same = score(model, stream, asked, candidates=stream.numpy()[asked.places])
    assert same.candidate_nats is not None
    assert (same.candidate_nats == same.nats).all()


def test_text_is_counted_by_commit(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    texts = ["fn a() é", "", "def part(x): return x"]
    ids = vocabulary.encode([[piece for text in texts for piece in (COMMIT_START, text, COMMIT_END) if piece]])[0]
    asked = Asked.of(torch.tensor(ids), [(0, 9), (9, len(ids))], vocabulary, 99)
    assert asked.text_bytes.sum() == sum(len(text.encode()) for text in texts) - (
        len(ids) > 9 and _bytes_at(ids, 9, vocabulary)
    )
    assert len(asked.text_bytes) == 3
    assert asked.text_bytes[1] == 0


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
    together = score(model, stream, Asked.of(stream, [(0, len(stream))], vocabulary, 64, masked=True))
    alone = score(model, stream, Asked.of(stream, [(len(one), len(stream))], vocabulary, 64))
    assert together.nats[len(one) :] == pytest.approx(alone.nats, rel=1e-3)
    seeing = score(model, stream, Asked.of(stream, [(0, len(stream))], vocabulary, 64))
    assert seeing.nats[len(one) :] != pytest.approx(alone.nats, rel=1e-3)
