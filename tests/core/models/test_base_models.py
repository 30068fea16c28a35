"""Base models: the precision they are loaded in, and which of them are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import UserError
from core.models import base_models


def test_precision_follows_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for capability, expected in (((7, 5), "fp16"), ((8, 0), "bf16"), ((9, 0), "bf16")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda found=capability: found)
        assert base_models.resolved_precision("auto") == expected
    assert base_models.resolved_precision("fp32") == "fp32"


@pytest.fixture
def foreign(tiny_model: Path, tmp_path: Path) -> Path:
    """A model that others have made, to be changed."""
    return Path(shutil.copytree(tiny_model, tmp_path / "foreign"))


def change(file: Path, **values: Any) -> None:
    """Set values of a JSON file."""
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


@pytest.mark.parametrize("load", [base_models.load_model, base_models.load_tokenizer])
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_a_model_with_code_of_its_own_is_refused_unasked(
    foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Callable[..., Any], file: str
) -> None:
    (foreign / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    classes = {"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M", "AutoTokenizer": ["own.T", "own.T"]}
    change(foreign / file, auto_map=classes, model_type="own")
    asked: list[object] = []
    monkeypatch.setattr("builtins.input", lambda *words: asked.append(words) or "y")
    with pytest.raises(UserError, match=f"code of its own .auto_map in {file}."):
        load(str(foreign), tmp_path)
    assert not asked
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "config.json").write_text("[]"),
        lambda folder: change(folder / "config.json", hidden_size="wide"),
        lambda folder: change(folder / "config.json", vocab_size=None),
        lambda folder: change(folder / "config.json", num_attention_heads=0),
        lambda folder: (folder / "model.safetensors").write_bytes(b"x"),
        lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
    ],
)
def test_a_damaged_model_is_a_sentence(foreign: Path, tmp_path: Path, damage: Callable[[Path], object]) -> None:
    damage(foreign)
    with pytest.raises(UserError, match=r"is damaged|cannot be loaded"):
        base_models.load_model(str(foreign), tmp_path)
