"""Adapters on a plain or a 4-bit base: trained, saved, loaded, used and merged."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from core.errors import UserError
from core.models import adapters, base_models, model_folder
from core.records.training import TrainingSummary
from core.text.vocabulary import Vocabulary
from core.training.adapter import LINEAR, add_lora, load_weights, trainable_state
from core.training.loss import use_chunked_loss

TRAINING = TrainingSummary(sequence_length=64, trained_tokens=10, steps=3, coverage=0.5)


def vocabulary_of(tiny_model: Path, cache: Path) -> Vocabulary:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), cache)
    return Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))


def test_four_bits_from_end_to_end(tiny_model: Path, tmp_path: Path) -> None:
    """Forward, backward, save, load, generate, merge."""
    vocabulary = vocabulary_of(tiny_model, tmp_path)
    vocabulary.save(tmp_path / "vocab.json", tmp_path / "tokenizer")
    base = base_models.load_model(str(tiny_model), tmp_path, precision="bf16", four_bit=True)
    base_models.fit_to_vocabulary(base, vocabulary)
    packed = [module for module in base.modules() if type(module).__name__ == "Linear4bit"]
    assert packed
    assert all(module.weight.quant_state.nested for module in packed)  # double quantization
    model = add_lora(base, vocabulary.own_ids, rank=4, alpha=8, dropout=0.0)
    assert base.get_input_embeddings().weight.dtype == torch.bfloat16  # nothing was made wider
    assert all(value.dtype == torch.float32 for name, value in model.named_parameters() if "lora" in name)
    assert use_chunked_loss(model, 16)
    model.train()
    optimizer = torch.optim.AdamW([value for value in model.parameters() if value.requires_grad], lr=5e-3)
    ids = torch.tensor([vocabulary.encode([["fn handler(x: u32) -> u32 { x }" * 3]])[0][:64]])
    losses = []
    for _ in range(12):
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.5
    settings = {"model_training": {"method": "qlora"}}
    model_folder.write(tmp_path / "model", model, vocabulary, tmp_path / "tokenizer", settings, TRAINING, tmp_path)
    files = {path.name: path.stat().st_size for path in (tmp_path / "model").iterdir()}
    assert "adapter_model.safetensors" in files
    assert files["adapter_model.safetensors"] < 400_000
    loaded = model_folder.load(tmp_path / "model", tmp_path, precision="bf16", four_bit=True)
    model.eval()
    loaded.model.eval()
    with torch.no_grad():
        torch.testing.assert_close(
            loaded.model(input_ids=ids).logits, model(input_ids=ids).logits, rtol=5e-2, atol=5e-2
        )
        written = loaded.model.generate(input_ids=ids[:, :20], max_new_tokens=5, do_sample=False, pad_token_id=0)
    assert written.shape == (1, 25)
    whole = adapters.merged(loaded.model, vocabulary, tmp_path)
    assert not any(type(module).__name__ == "Linear4bit" for module in whole.modules())
    plain = model_folder.load(tmp_path / "model", tmp_path, precision="bf16", four_bit=False)
    with torch.no_grad():
        expected = plain.model.eval()(input_ids=ids).logits.float()
        torch.testing.assert_close(whole.eval()(input_ids=ids).logits.float(), expected, rtol=0.05, atol=0.05)
    whole.save_pretrained(tmp_path / "whole")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "whole")
    with torch.no_grad():
        torch.testing.assert_close(again(input_ids=ids).logits.float(), whole(input_ids=ids).logits.float())


def test_layers_follow_the_architecture_or_the_settings(tiny_model: Path, tmp_path: Path) -> None:
    vocabulary = vocabulary_of(tiny_model, tmp_path)

    def adapted(*names: str) -> set[str]:
        base = base_models.load_model(str(tiny_model), tmp_path, precision="fp32")
        base_models.fit_to_vocabulary(base, vocabulary)
        model = add_lora(base, vocabulary.own_ids, rank=2, alpha=4, dropout=0.0, target_modules=names)
        return {
            part for name in trainable_state(model) for part in name.split(".") if part in (*LINEAR, "embed_tokens")
        }

    assert adapted() == {*LINEAR, "embed_tokens"}
    assert adapted("q_proj") == {"q_proj", "embed_tokens"}
    with pytest.raises(UserError, match="no layers named nothing"):
        adapted("nothing")


def test_a_continued_adapter_starts_with_the_earlier_weights(tiny_model: Path, tmp_path: Path) -> None:
    vocabulary = vocabulary_of(tiny_model, tmp_path)

    def fresh(rank: int, alpha: int = 4, *names: str) -> torch.nn.Module:
        base = base_models.load_model(str(tiny_model), tmp_path, precision="fp32")
        base_models.fit_to_vocabulary(base, vocabulary)
        return add_lora(base, vocabulary.own_ids, rank=rank, alpha=alpha, dropout=0.0, target_modules=names)

    first = fresh(2)
    with torch.no_grad():
        for value in first.parameters():
            if value.requires_grad:
                value.add_(0.25)
    first.save_pretrained(tmp_path / "adapter")  # type: ignore[operator]
    second = fresh(2)
    load_weights(second, tmp_path / "adapter")  # type: ignore[arg-type]
    one, two = trainable_state(first), trainable_state(second)  # type: ignore[arg-type]
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    with pytest.raises(UserError, match="another lora_rank"):
        load_weights(fresh(3), tmp_path / "adapter")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="another lora_alpha"):
        load_weights(fresh(2, 8), tmp_path / "adapter")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="another target_modules"):
        load_weights(fresh(2, 4, "q_proj"), tmp_path / "adapter")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="no adapter"):
        load_weights(fresh(2), tmp_path)  # type: ignore[arg-type]
