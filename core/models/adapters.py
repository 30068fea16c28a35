"""LoRA adapters of trained models: whether one is complete, loading it onto its base, merging it in."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.models import base_models
from core.models.loading import damage_reported

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from core.text.vocabulary import Vocabulary

FILES = ("adapter_config.json", "adapter_model.safetensors")


def has_adapter(model: PreTrainedModel) -> bool:
    """Whether a model is a base with an adapter on it."""
    return hasattr(model, "peft_config")


def check_complete(folder: Path) -> None:
    """Raise UserError where a file of the adapter is missing; PEFT would look for it on the model hub."""
    for name in FILES:
        if not (folder / name).is_file():
            raise UserError(f"{folder} is damaged: {name} is missing", "train the model again")


def load_onto(base: PreTrainedModel, folder: Path, name: str = "default") -> PreTrainedModel:
    """A base model with the adapter of a folder on it. Raises UserError where the adapter is damaged."""
    from peft import PeftModel

    check_complete(folder)
    with damage_reported(f"the adapter in {folder}", "train the model again"):
        return PeftModel.from_pretrained(base, str(folder), adapter_name=name)


def merged(model: PreTrainedModel, vocabulary: Vocabulary, cache_dir: Path) -> PreTrainedModel:
    """The whole model with its adapter in the weights; do not use the adapted one afterwards.

    4-bit weights would round the adapter away, so for them a base in its own precision is loaded, on the CPU. A model
    without an adapter is returned as it is.
    """
    if not has_adapter(model):
        return model
    if not getattr(model.get_base_model(), "is_quantized", False):
        return model.merge_and_unload()
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder, save_embedding_layers=False)
        base = base_models.load_prepared(vocabulary.base_model, vocabulary, cache_dir, precision="bf16", place="cpu")
        return load_onto(base, Path(folder)).merge_and_unload()
