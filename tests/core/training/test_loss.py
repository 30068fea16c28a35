"""The chunked loss compared with the model's own: the same number, the same gradients."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from core.training.loss import IGNORED, causal_model, use_chunked_loss

ROWS = [1, 5, 7]


def small(*, tied: bool) -> LlamaForCausalLM:
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=300,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=None,
    )
    return LlamaForCausalLM(shape)


def adapted(model: Any, *, tied: bool) -> Any:
    torch.manual_seed(1)
    rows: Any = ROWS if tied else {"embed_tokens": ROWS, "lm_head": ROWS}
    return get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM",
            r=4,
            target_modules="all-linear",
            trainable_token_indices=rows,
            init_lora_weights=False,
        ),
    )


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("lora", [True, False])
@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_loss_and_gradients_are_the_models_own(tied: bool, lora: bool, chunk: int) -> None:
    plain, chunked = small(tied=tied), small(tied=tied)
    if lora:
        plain, chunked = adapted(plain, tied=tied), adapted(chunked, tied=tied)
    assert use_chunked_loss(chunked, chunk)
    ids = torch.randint(0, 300, (2, 40), generator=torch.Generator().manual_seed(2))
    labels = ids.clone()
    labels[0, :10] = IGNORED
    for count in (None, 100):
        expected = plain(input_ids=ids, labels=labels, num_items_in_batch=count).loss
        got = chunked(input_ids=ids, labels=labels, num_items_in_batch=count).loss
        torch.testing.assert_close(got, expected)
        expected.backward()
        got.backward()
    trained = 0
    for (name, one), (_, other) in zip(plain.named_parameters(), chunked.named_parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None), name
        if one.grad is not None:
            trained += 1
            torch.testing.assert_close(other.grad, one.grad, rtol=1e-4, atol=1e-6)
    assert trained


def test_without_labels_the_model_gives_its_logits() -> None:
    model = small(tied=True)
    ids = torch.arange(9)[None]
    expected = model(input_ids=ids).logits
    assert use_chunked_loss(model, 4)
    assert torch.equal(model(input_ids=ids).logits, expected)


def test_logits_are_never_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    model = adapted(small(tied=True), tied=True)
    assert use_chunked_loss(model, 8)
    heads = []
    monkeypatch.setattr(causal_model(model).get_output_embeddings(), "forward", lambda *given, **_: heads.append(given))
    sizes = []
    logsumexp = torch.Tensor.logsumexp
    monkeypatch.setattr(
        torch.Tensor, "logsumexp", lambda self, *a, **k: (sizes.append(len(self)), logsumexp(self, *a, **k))[1]
    )
    ids = torch.arange(50)[None]
    model(input_ids=ids, labels=ids).loss.backward()
    assert heads == []
    assert max(sizes) == 8
    assert sum(sizes) == 49


def test_a_model_with_its_own_loss_keeps_it() -> None:
    class Scaled(LlamaForCausalLM):
        def forward(self, *given: Any, **named: Any) -> Any:
            answer = super().forward(*given, **named)
            if answer.loss is not None:
                answer.loss = answer.loss * 3
            return answer

    torch.manual_seed(0)
    model = Scaled(small(tied=True).config)
    ids = torch.arange(20)[None]
    before = float(model(input_ids=ids, labels=ids).loss.detach())
    assert not use_chunked_loss(model, 4)
    assert float(model(input_ids=ids, labels=ids).loss.detach()) == before


def test_half_precision_is_close_to_single() -> None:
    plain = adapted(small(tied=True), tied=True)
    chunked = copy.deepcopy(plain)
    assert use_chunked_loss(chunked, 8)
    ids = torch.arange(64)[None]
    expected = plain(input_ids=ids, labels=ids).loss
    with torch.autocast("cpu", torch.bfloat16):
        got = chunked(input_ids=ids, labels=ids).loss
    got.backward()
    torch.testing.assert_close(got, expected, rtol=2e-2, atol=0)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in chunked.parameters() if p.requires_grad)
