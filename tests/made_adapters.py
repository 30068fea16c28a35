"""What tests of fused adapters share: settings, values, and spoiling what was made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from safetensors.numpy import load_file, save_file

from core.records.training import TrainingSummary
from core.text.grammar import AUTHOR, FILE_START
from core.text.vocabulary import Value

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
