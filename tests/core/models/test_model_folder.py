"""Model folders: what loads is what was saved, and a damaged folder is an error."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_adapters import FIRST_VALUES, SECOND_VALUES
from safetensors.numpy import load_file, save_file

from core.errors import UserError
from core.models import base_models, model_folder
from core.models.model_card import card
from core.records.training import TrainingSummary, Validation
from core.text.vocabulary import Vocabulary
from core.training.adapter import add_lora

TRAINING = TrainingSummary(
    sequence_length=64, trained_tokens=10_000, steps=30, coverage=0.5, precision="fp32",
    validation=Validation(untuned=2.5, best=2.0, best_step=20),
)  # fmt: skip


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A model folder with an adapter that changes something."""
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    vocabulary.save(tmp_path / "vocab.json", tmp_path / "tokenizer")
    base = base_models.load_prepared(str(tiny_model), vocabulary, tmp_path, precision="fp32")
    model = add_lora(base, vocabulary.own_ids, rank=2, alpha=4, dropout=0.0)
    with torch.no_grad():
        for value in model.parameters():
            if value.requires_grad:
                value.add_(0.1)
    model_folder.write(tmp_path / "model", model, vocabulary, tmp_path / "tokenizer", {}, TRAINING, tmp_path)
    return tmp_path / "model"


def test_switched_off_the_adapter_leaves_the_base_exactly(folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    loaded = model_folder.load(folder, tmp_path)
    plain = base_models.load_prepared(str(tiny_model), loaded.vocabulary, tmp_path, precision="fp32").eval()
    loaded.model.eval()
    ids = torch.tensor([[*range(30), *loaded.vocabulary.own_ids[:30]]])
    with torch.no_grad():
        expected = plain(input_ids=ids).logits
        adapted = loaded.model(input_ids=ids).logits
        assert not torch.allclose(adapted, expected)
        with loaded.untuned() as untuned:
            assert torch.equal(untuned(input_ids=ids).logits, expected)
        loaded.merge_adapter()
        assert loaded.merged
        torch.testing.assert_close(loaded.model(input_ids=ids).logits, adapted, rtol=1e-4, atol=1e-4)


def test_a_model_folder_has_no_readme_by_peft_and_records_how_it_was_made(folder: Path) -> None:
    assert not (folder / "README.md").exists()
    info = model_folder.read_info(folder)
    assert info.training == TRAINING
    assert (info.is_adapter, info.method, info.sequence_length) == (True, "lora", 64)


def test_a_folder_of_an_earlier_version_is_read(folder: Path) -> None:
    path = folder / model_folder.INFO
    values = json.loads(path.read_text())
    path.write_text(
        json.dumps({key: values[key] for key in ("base_model", "pad_id", "values", "is_adapter")} | {"settings": {}})
    )
    info = model_folder.read_info(folder)
    assert info.training is None
    assert "By Gitlore, method lora." in card(info, None)


def change(file: Path, **values: Any) -> None:
    """Set values of a JSON file."""
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda folder: (folder / model_folder.INFO).unlink(), "is not a model of Gitlore"),
        (lambda folder: (folder / model_folder.INFO).write_text("{"), "is damaged"),
        (lambda folder: (folder / model_folder.INFO).write_text('{"base_model": "x"}'), "is damaged"),
        (lambda folder: (folder / "adapter_model.safetensors").unlink(), "adapter_model.safetensors is missing"),
        (lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"x"), "cannot be loaded"),
        (lambda folder: change(folder / "adapter_config.json", r="x"), "cannot be loaded"),
        (lambda folder: change(folder / "adapter_config.json", r=None), "cannot be loaded"),
        (lambda folder: (folder / "adapter_config.json").write_text("[]"), "cannot be loaded"),
        (lambda folder: change(folder / model_folder.INFO, pad_id="x"), "is damaged"),
        (lambda folder: change(folder / model_folder.INFO, pad_id=-1), "do not match"),
        (lambda folder: change(folder / model_folder.INFO, sequence_length=0), "is damaged"),
        (lambda folder: change(folder / model_folder.INFO, settings={"tokenizer": []}), "is damaged"),
        (lambda folder: change(folder / model_folder.INFO, settings={"tokenizer": {"secrets": 1}}), "in its settings"),
        (lambda folder: change(folder / model_folder.INFO, values={"sky": {"blue": 1}}), "'sky' is no field"),
        (lambda folder: change(folder / model_folder.INFO, values={"FILE": {"a.py": 1}}), "do not match"),
        (lambda folder: change(folder / model_folder.INFO, markers={"<COMMIT_START>": 1}), "do not match"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "the tokenizer in .* cannot be loaded"),
    ],
)  # fmt: skip
def test_a_damaged_folder_is_an_error(folder: Path, tmp_path: Path, damage: object, complaint: str) -> None:
    damage(folder)  # type: ignore[operator]
    with pytest.raises(UserError, match=complaint):
        model_folder.load(folder, tmp_path)


def test_the_card_reports_how_the_model_was_trained(folder: Path) -> None:
    text = card(model_folder.read_info(folder), None)
    assert "on 10,000 tokens in 30 steps of blocks of 64 tokens, in fp32 precision: 50.0%" in text
    assert "Validation loss 2.000 nats per token, 2.500 before training" in text


def test_a_path_that_is_not_utf8_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    place = folder.rename(tmp_path / os.fsdecode(b"caf\xe9"))
    with pytest.raises(UserError, match=r"caf\\xe9 is not UTF-8"):
        model_folder.load(place, tmp_path)


def test_rows_of_values_are_swapped_with_their_adapter(
    make: Callable[..., Path], roomy_model: Path, tmp_path: Path
) -> None:
    values = {"one": FIRST_VALUES, "two": SECOND_VALUES}
    places = {name: make(name, roomy_model, seed=len(name), values=own) for name, own in values.items()}
    for name, seed in (("one", 1), ("two", 2)):  # they differ in nothing but their rows
        weights = load_file(places["one"] / "adapter_model.safetensors")
        table = next(key for key in weights if "token_adapter" in key)
        weights[table] = np.random.default_rng(seed).normal(size=weights[table].shape).astype(np.float32)
        save_file(weights, places[name] / "adapter_model.safetensors")
    alone = {name: model_folder.load(place, tmp_path) for name, place in places.items()}
    ids = torch.tensor([alone["one"].vocabulary.own_ids])
    together = model_folder.load_several(places, tmp_path)
    for name in ("one", "two", "one"):
        together[name].activate()
        torch.testing.assert_close(together[name].model(ids).logits, alone[name].model(ids).logits, rtol=0.0, atol=1e-5)
