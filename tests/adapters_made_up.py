"""Adapters of a small base for tests of what a team does with them."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from made_adapters import SETTINGS, TRAINING
from safetensors.numpy import load_file, save_file

from core.files import write_json
from core.records.fusion import BASE, FUSED
from patterns.adapters import archive

PRIVATE = "/home/mia/secret-project"
BETTER = {BASE: 2.0, "a@1": 1.5, "b@2": 1.6, FUSED: 1.4}
"""Bits per byte that speak for a fused adapter."""


def write_adapter(base: Path, folder: Path) -> None:
    """An adapter of the base, as a training on somebody's machine writes it."""
    import torch

    from core.models import base_models, model_folder
    from core.text.vocabulary import Vocabulary
    from core.training.adapter import add_lora

    tokenizer, pad, _ = base_models.load_tokenizer(str(base), folder)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(base), [])
    vocabulary.save(folder / "vocab.json", folder / "tokenizer")
    model = base_models.load_prepared(str(base), vocabulary, folder, precision="fp32")
    model = add_lora(model, vocabulary.own_ids, rank=4, alpha=8, dropout=0.0)
    torch.manual_seed(1)
    with torch.no_grad():
        for value in model.parameters():
            if value.requires_grad:
                value.add_(torch.randn_like(value) * 0.1)
    settings = SETTINGS | {"git_scraper": {"repository": PRIVATE, "email_salt_file": f"{PRIVATE}/salt"}}
    model_folder.write(folder / "model", model, vocabulary, folder / "tokenizer", settings, TRAINING, folder)


def variant(model: Path, target: Path, number: int) -> Path:
    """A copy whose updates are larger; each number is another adapter."""
    shutil.copytree(model, target)
    path = target / "adapter_model.safetensors"
    weights = {name: value * (1 + number) if "lora_B" in name else value for name, value in load_file(path).items()}
    save_file(weights, path)
    return target


def fused(model: Path, target: Path, number: int, bits: Mapping[str, float] | None = None) -> Path:
    """The same as a fused one, with the figures `bits` on both histories of its parents; None: not measured."""
    variant(model, target, number)
    parents = [{"name": name, "sha256": name[-1] * 64, "weight": 0.5} for name in ("a@1", "b@2")]
    origin = {"method": "delta", "parents": parents}
    info = json.loads((target / "gitlore.json").read_text())
    write_json(target / "gitlore.json", info | {"origin": origin})
    figures = {"origin": origin, "base_model": "tiny", "base_sha256": info["base_sha256"], "rank": 4, "energy": 1.0}
    proof = _proof(bits) if bits else None
    write_json(target / "fusion.json", figures | {"error": 0.0, "layers": {}, "proof": proof})
    return target


def _proof(bits: Mapping[str, float]) -> dict[str, object]:
    none = {"share": 0.0}
    rest = {"of_edits": True, "commits": 16, "tokens": 100, "saved_over_base": none, "saved_over_owner": none}
    histories = [{"owner": owner, "bits_per_byte": bits, **rest} for owner in ("a@1", "b@2")]
    return {"histories": histories, "mean": bits, "swapping": 1.5, "passes": True}


def archived(folder: Path) -> bytes:
    """The archive of an adapter."""
    target = io.BytesIO()
    archive.pack(folder, target)
    return target.getvalue()


def in_parts(data: bytes, size: int = 10_000) -> Iterator[bytes]:
    """Bytes as they come over a network."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
