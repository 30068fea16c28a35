"""What tests of fused adapters share: settings, values, and spoiling what was made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.numpy import load_file, save_file

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
    MESSAGE,
    SYMBOL,
    Pieces,
)
from core.text.vocabulary import Value, Vocabulary

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
