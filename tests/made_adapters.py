"""What tests of fused adapters share: settings, values, and spoiling what was made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.numpy import load_file, save_file
from tokenizers import AddedToken
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.models import base_models, model_folder
from core.records.training import TrainingSummary
from core.text.grammar import (
    AUTHOR,
    CHANGES,
    CODE_END,
    CODE_START,
    COMMIT_END,
    COMMIT_START,
    FILE_START,
    KINDS,
    MARKERS,
    MESSAGE,
    SYMBOL,
    Pieces,
)
from core.text.vocabulary import Value, Vocabulary
from core.training.adapter import add_lora

TRAINING = TrainingSummary(sequence_length=64)
SETTINGS = {
    "tokenizer": {"mode": "base_model", "code_view": "new", "secrets": "mask"},
    "model_training": {"documents": "history", "objective": "blocks", "method": "lora"},
}
FIRST_VALUES: list[Value] = [(FILE_START, "src/a.py"), (AUTHOR, "Ada"), (FILE_START, "src/both.py")]
SECOND_VALUES: list[Value] = [(AUTHOR, "Grace"), (FILE_START, "src/both.py"), (FILE_START, "src/b.py")]
"""The same ids stand for other things than in the first."""
Make = Callable[..., Path]


def twin(model: Path, target: Path) -> Path:
    """A copy of an adapter that does half as much, the other way round."""
    shutil.copytree(model, target)
    weights = load_file(target / "adapter_model.safetensors")
    halved = {name: -value / 2 if "lora_B" in name else value for name, value in weights.items()}
    save_file(halved, target / "adapter_model.safetensors")
    return target


def change_config(folder: Path, **fields: object) -> None:
    """Change fields of adapter_config.json."""
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def change_info(folder: Path, **fields: object) -> None:
    """Change fields of gitlore.json."""
    path = folder / "gitlore.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def write_outputs(folder: Path, vocabulary: Vocabulary, train: Pieces, val: Pieces, test: Pieces) -> Path:
    """What a pipeline leaves to measure a model on."""
    vocabulary.save(folder / "vocab.json", folder / "tokenizer")
    for name, pieces in (("train", train), ("val", val), ("test", test)):
        stream = torch.tensor(vocabulary.encode([pieces])[0], dtype=torch.int64)
        torch.save({"stream": stream}, folder / f"training_data_{name}.pt")
    return folder


def commit(author: str, path: str, code: str) -> Pieces:
    """A commit that adds a function to a file."""
    change = [next(iter(CHANGES.values())), next(iter(KINDS.values())), SYMBOL, "work", CODE_START, code, CODE_END]
    return [COMMIT_START, AUTHOR, author, MESSAGE, "work on it", FILE_START, path, *change, COMMIT_END]


def write_roomy_model(folder: Path, model: Path) -> Path:
    """A model with reserved tokens: enough for the markers and four values."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    reserved = [AddedToken(f"<reserved_{number}>", special=True) for number in range(len(MARKERS) + 4)]
    tokenizer.add_tokens(reserved, special_tokens=True)
    roomy = AutoModelForCausalLM.from_pretrained(model)
    torch.manual_seed(1)
    roomy.resize_token_embeddings(len(tokenizer))
    roomy.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_untied_model(folder: Path, model: Path) -> Path:
    """A model with an output layer of its own."""
    untied = AutoModelForCausalLM.from_pretrained(model)
    untied.config.tie_word_embeddings = False
    untied.lm_head.weight = torch.nn.Parameter(torch.randn_like(untied.model.embed_tokens.weight))
    untied.save_pretrained(folder)
    AutoTokenizer.from_pretrained(model).save_pretrained(folder)
    return folder


def write_adapter(
    place: Path,
    base: Path,
    *,
    seed: int = 1,
    rank: int = 4,
    values: Sequence[Value] = (),
    settings: dict[str, Any] = SETTINGS,
    rslora: bool = False,
) -> Path:
    """The folder of an adapter, made as a training makes it, whose every weight is random."""
    tokenizer, pad, _ = base_models.load_tokenizer(str(base), place)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(base), values)
    vocabulary.save(place / "vocab.json", place / "tokenizer")
    model = base_models.load_prepared(str(base), vocabulary, place, precision="fp32")
    model = add_lora(model, vocabulary.own_ids, rank=rank, alpha=2 * rank, dropout=0.0)
    torch.manual_seed(seed)
    with torch.no_grad():
        for value in model.parameters():
            if value.requires_grad:
                value.add_(torch.randn_like(value) * 0.1)
    folder = place / "model"
    model_folder.write(folder, model, vocabulary, place / "tokenizer", settings, TRAINING, place)
    if rslora:
        change_config(folder, use_rslora=True)
    return folder
