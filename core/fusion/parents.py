"""Adapters as they are read to be fused: nothing is loaded that was not checked, and nothing of a pickle is opened.

Weights stay in their file, mapped into memory, until their layer's turn.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from core.config import checked_path
from core.errors import UserError
from core.fusion.peft_config import read_config
from core.fusion.tensors import Tensor, read_tensors
from core.fusion.updates import Matrix, Update
from core.models import model_folder
from core.models.adapters import FILES
from core.models.model_folder import ModelInfo

CONFIG, WEIGHTS = FILES
_FACTOR = re.compile(r"base_model\.model\.(?P<layer>[\w.]{1,300})\.lora_(?P<side>[AB])\.weight")
_ROWS = re.compile(r"base_model\.model\.(?P<layer>[\w.]{1,300})\.token_adapter\.trainable_tokens_delta")


@dataclass(frozen=True)
class Rows:
    """Trained rows of an embedding table: whole rows, not what training added to them."""

    ids: tuple[int, ...]
    values: Matrix
    """(ids, width)."""


@dataclass(frozen=True)
class Parent:
    """An adapter that is to be fused with others. `layers` are those with an update, by their names in the model."""

    folder: Path
    weights_file: Path
    sha256: str
    """Of the weights' file."""
    info: ModelInfo | None
    """None for an adapter that Gitlore did not train."""
    base_model: str
    rank: int
    scale: float
    """alpha / r, or alpha / √r for rsLoRA."""
    _tensors: Mapping[str, Tensor] = field(repr=False)
    _token_ids: Mapping[str, tuple[int, ...]] = field(repr=False)

    @property
    def name(self) -> str:
        """What it is called in tables: the folder that tells it apart, and the start of its hash."""
        parts = [part for part in self.folder.resolve().parts if part not in _USUAL_FOLDERS]
        return f"{parts[-1]}@{self.sha256[:12]}"

    @cached_property
    def layers(self) -> dict[str, tuple[int, int]]:
        """(d, k) of each layer."""
        found = (_FACTOR.fullmatch(name) for name in self._tensors)
        names = {match["layer"] for match in found if match}
        return {
            name: (self._tensors[_key(name, "B")].shape[0], self._tensors[_key(name, "A")].shape[1])
            for name in sorted(names)
        }

    @property
    def tables(self) -> tuple[str, ...]:
        """Embedding tables with trained rows, by their names in the model."""
        return tuple(sorted(self._token_ids))

    @property
    def trained_tokens(self) -> int:
        """How many tokens have trained rows."""
        return len(set().union(*self._token_ids.values()))

    def update(self, layer: str) -> Update:
        """What it does to one of its layers."""
        return Update(self._tensors[_key(layer, "B")].read() * self.scale, self._tensors[_key(layer, "A")].read())

    def rows(self, table: str) -> Rows:
        """Its trained rows of an embedding table."""
        return Rows(
            self._token_ids[table],
            self._tensors[f"base_model.model.{table}.token_adapter.trainable_tokens_delta"].read(),
        )

    def check_finite(self) -> None:
        """Raise UserError where a weight is no number."""
        for name, tensor in self._tensors.items():
            if not np.isfinite(tensor.read()).all():
                raise UserError(f"{self.weights_file} is damaged: {name} holds weights that are no numbers", _HINT)


_USUAL_FOLDERS = ("model", "outputs")
"""Which all of ours have."""
_HINT = "ask whoever made it for the file again"


def read(place: Path) -> Parent:
    """The adapter in a folder of Gitlore's or PEFT's, or a .safetensors file with its adapter_config.json beside it.

    Raises UserError, with what is wrong, for everything that cannot be fused rightly.
    """
    folder, weights = _files(checked_path(place))
    settings = read_config(folder / CONFIG)
    tensors = read_tensors(weights)
    info = model_folder.read_info(folder) if (folder / model_folder.INFO).is_file() else None
    if info and not info.is_adapter:
        raise UserError(f"{folder} holds a whole model, not an adapter", "only adapters can be fused")
    rank, alpha = settings["r"], settings["lora_alpha"]
    scale = alpha / rank**0.5 if settings.get("use_rslora") else alpha / rank
    base = info.base_model if info else str(settings.get("base_model_name_or_path") or "")
    ids = _token_ids(weights, tensors, settings.get("trainable_token_indices"))
    _check_factors(weights, tensors, rank)
    parent = Parent(folder, weights, _sha256(weights), info, base, rank, scale, tensors, ids)
    parent.check_finite()
    return parent


def _files(place: Path) -> tuple[Path, Path]:
    if place.suffix in (".bin", ".pt", ".pth", ".pkl", ".ckpt"):
        raise UserError(f"{place} may hold code (a pickle)", "only .safetensors files are read")
    folder, weights = (place.parent, place) if place.is_file() else (place, place / WEIGHTS)
    if not place.exists():
        raise UserError(f"adapter not found: {place}", "name a model folder, or a .safetensors file")
    if place.is_file() and place.suffix != ".safetensors":
        raise UserError(f"{place} is no .safetensors file", "name a model folder, or a .safetensors file")
    for path in (weights, folder / CONFIG):
        if not path.is_file():
            raise UserError(f"{path.name} is missing in {folder}", "rank and scale of an adapter stand in its config")
    return folder, weights


def _check_factors(path: Path, tensors: Mapping[str, Tensor], rank: float) -> None:
    for name, tensor in tensors.items():
        if not (match := _FACTOR.fullmatch(name)):
            if not _ROWS.fullmatch(name):
                raise UserError(f"{path} holds {name[:100]!r}, which no plain LoRA adapter has", _HINT)
            continue
        other = _key(match["layer"], "B" if match["side"] == "A" else "A")
        if other not in tensors:
            raise UserError(f"{path} is damaged: {other} is missing", _HINT)
        if (found := tensor.shape[0 if match["side"] == "A" else 1]) != rank:
            raise UserError(f"{path} and its config do not match: {name} has rank {found}, r is {rank:g}", _HINT)
        if 0 in tensor.shape:
            raise UserError(f"{path} is damaged: {name} is empty", _HINT)


def _token_ids(path: Path, tensors: Mapping[str, Tensor], given: Any) -> dict[str, tuple[int, ...]]:
    """Ids of trained rows by table; `given` names tables by the last part of their names, or all by one list."""
    tables = [match["layer"] for name in tensors if (match := _ROWS.fullmatch(name))]
    wrong = UserError(f"{path} and its config do not match: trained rows of other tables or tokens", _HINT)
    if isinstance(given, list):
        given = {table.rpartition(".")[2]: given for table in tables}
    named = dict(given) if isinstance(given, Mapping) else {}
    found = {}
    for table in tables:
        ids = named.pop(table.rpartition(".")[2], None)
        rows = tensors[f"base_model.model.{table}.token_adapter.trainable_tokens_delta"].shape[0]
        if not isinstance(ids, list) or len(ids) != rows or len(set(map(str, ids))) != rows:
            raise wrong
        if not all(type(id_) is int and 0 <= id_ < 1 << 31 for id_ in ids):
            raise wrong
        found[table] = tuple(ids)
    if any(named.values()):
        raise wrong
    return found


def layers_of(parents: Sequence[Parent]) -> dict[str, tuple[int, int]]:
    """Layers that any of the adapters has an update of. Raises UserError where their shapes differ."""
    found: dict[str, tuple[int, int]] = {}
    for parent in parents:
        for layer, shape in parent.layers.items():
            if found.setdefault(layer, shape) != shape:
                raise UserError(
                    f"{layer} is {found[layer]} in one adapter and {shape} in {parent.folder}",
                    "they were made for different base models",
                )
    return dict(sorted(found.items()))


def _key(layer: str, side: str) -> str:
    return f"base_model.model.{layer}.lora_{side}.weight"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
