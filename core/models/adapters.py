"""LoRA adapters of trained models: whether one is complete, loading it onto its base, merging it in."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.files import atomic_write, write_json
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


def describe(folder: Path, base_model: str, base_sha256: str, identity: str, origin: str = "") -> None:
    """Say in the header of the weights and in the config what base an adapter is for; neither then names a folder of
    this machine. `origin` is JSON of what it was fused from.
    """
    path = folder / "adapter_config.json"
    config = json.loads(path.read_bytes())
    config["base_model_name_or_path"] = Path(base_model).name
    write_json(path, dict(sorted(config.items())))
    said = {"format": "pt", "base_model": Path(base_model).name, "base_sha256": base_sha256, "gitlore_model": identity}
    _with_metadata(folder / "adapter_model.safetensors", said | ({"origin": origin} if origin else {}))


def _with_metadata(path: Path, metadata: dict[str, str]) -> None:
    """Give a .safetensors file another `__metadata__`; the weights are copied as they are."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        text = json.dumps({**header, "__metadata__": metadata}, separators=(",", ":"), sort_keys=True).encode()
        text += b" " * (-len(text) % 8)  # weights are aligned
        with atomic_write(path) as made:
            made.write(len(text).to_bytes(8, "little") + text)
            shutil.copyfileobj(file, made, 1 << 20)


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
