"""Small adapters of one base, made as a training makes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from made_adapters import SETTINGS, TRAINING, Make, change_config
from tokenizers import AddedToken
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.models import base_models, model_folder
from core.text.grammar import MARKERS
from core.text.vocabulary import Value, Vocabulary
from core.training.adapter import add_lora


@pytest.fixture(scope="session")
def roomy_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with reserved tokens: enough for the markers and four values."""
    folder = tmp_path_factory.mktemp("roomy")
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    reserved = [AddedToken(f"<reserved_{number}>", special=True) for number in range(len(MARKERS) + 4)]
    tokenizer.add_tokens(reserved, special_tokens=True)
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    torch.manual_seed(1)
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def untied_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with an output layer of its own."""
    folder = tmp_path_factory.mktemp("untied")
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.model.embed_tokens.weight))
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(folder)
    return folder


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """`make("a", base, seed=1)` gives the folder of an adapter whose every weight is random."""

    def made(
        name: str,
        base: Path,
        *,
        seed: int = 1,
        rank: int = 4,
        values: Sequence[Value] = (),
        settings: dict[str, Any] = SETTINGS,
        rslora: bool = False,
    ) -> Path:
        tokenizer, pad, _ = base_models.load_tokenizer(str(base), tmp_path)
        vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(base), values)
        vocabulary.save(tmp_path / name / "vocab.json", tmp_path / name / "tokenizer")
        model = base_models.load_prepared(str(base), vocabulary, tmp_path, precision="fp32")
        model = add_lora(model, vocabulary.own_ids, rank=rank, alpha=2 * rank, dropout=0.0)
        torch.manual_seed(seed)
        with torch.no_grad():
            for value in model.parameters():
                if value.requires_grad:
                    value.add_(torch.randn_like(value) * 0.1)
        folder = tmp_path / name / "model"
        model_folder.write(folder, model, vocabulary, tmp_path / name / "tokenizer", settings, TRAINING, tmp_path)
        if rslora:
            change_config(folder, use_rslora=True)
        return folder

    return made
