"""Scores: the same tokens for every model, and a plain calculation as the oracle."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from core import base_models
from core.commit_grammar import CODE_START
from core.evaluation import evaluate, spread_blocks
from core.vocabulary import Vocabulary


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
    score = evaluate(model, torch.tensor(ids), [(0, len(ids))], vocabulary, 64).as_dict()
    with torch.no_grad():
        logs = model(torch.tensor([ids])).logits[0].log_softmax(dim=-1)
    losses = [-float(logs[place, ids[place + 1]]) for place in range(len(ids) - 1)]
    assert math.isclose(score["loss"], sum(losses) / len(losses), rel_tol=1e-4)
    assert math.isclose(score["perplexity"], math.exp(score["loss"]))
    assert score["tokens"] == len(ids) - 1
    assert score["text_tokens"] == len(ids) - 2
    first = len(vocabulary.decode(ids[:1]).encode())
    assert score["text_bytes"] == len("fn handler(x: u32) é".encode()) - first
