"""The folder of a fused adapter: loads like a trained one, and says what it was made from.

No text of the histories that its parents were trained on goes into it, and no path of the machines they came from.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.config import checked_path
from core.errors import UserError
from core.files import remove, write_json
from core.fusion import agreement, rows
from core.fusion.card import card
from core.fusion.fusing import FusedLayers, Recipe, Tensors, fuse
from core.fusion.parents import CONFIG, WEIGHTS, Parent
from core.models import adapters, base_models, model_folder
from core.models.model_card import CARD
from core.models.model_folder import INFO, ModelInfo
from core.models.recorded import RecordedSettings
from core.records.fusion import FusionReport, Origin
from core.records.json_files import write_record
from core.text.grammar import COMMIT_END, MARKERS
from core.text.lossless import spare_rows
from core.text.vocabulary import Value, Vocabulary

REPORT = "fusion.json"
_PRIVATE = {("git_scraper", "email_salt_file")}
"""Settings of `RecordedSettings` that name a file of this machine."""
_STRICTEST = ("keep", "mask", "drop")
"""What may be done with credentials, weakest first."""


def check_new(target: Path) -> None:
    """Raise UserError where there is something already."""
    if checked_path(target).exists():
        raise UserError(f"{target} already exists", "name a new folder with --output")


def write(
    target: Path, parents: Sequence[Parent], made: FusedLayers, origin: Origin, notes: Sequence[str], cache_dir: Path
) -> FusionReport:
    """Write the adapter with its tokenizer, config and report; all of it, or nothing.

    Raises UserError where the folder is there already.
    """
    check_new(target)
    temporary = target.with_name(f".{target.name}.tmp")
    remove(temporary)
    temporary.mkdir(parents=True)
    try:
        report = _write(temporary, parents, made, origin, list(notes), cache_dir)
        temporary.rename(target)
    finally:
        remove(temporary)
    return report


def _write(
    folder: Path, parents: Sequence[Parent], made: FusedLayers, origin: Origin, notes: list[str], cache_dir: Path
) -> FusionReport:
    from safetensors.numpy import save_file

    tensors, ids, left_out, base_sha256, identity = dict(made.tensors), {}, 0, "", ""
    if parents[0].info:
        vocabularies = [model_folder.read_info_and_vocabulary(parent.folder)[1] for parent in parents]
        vocabulary, left_out = _vocabulary(parents, vocabularies, cache_dir)
        weights = [parent.weight for parent in origin.parents]
        ids = _add_rows(tensors, parents, weights, vocabularies, vocabulary)
        info = _info([parent.info for parent in parents if parent.info], vocabulary, origin)
        base_sha256, identity = info.base_sha256 or "", info.identity
        _write_tokenizer(folder, parents[0].folder, vocabulary, vocabularies[0])
        write_record(folder / INFO, info)
    save_file(tensors, folder / WEIGHTS)
    write_json(folder / CONFIG, _config(parents, made.rank, ids))
    adapters.describe(folder, parents[0].base_model, base_sha256, identity, msgspec.json.encode(origin).decode())
    report = FusionReport(
        origin=origin,
        base_model=Path(parents[0].base_model).name,
        base_sha256=base_sha256,
        rank=made.rank,
        energy=made.energy,
        error=made.error,
        layers=made.figures,
        values_left_out=left_out,
        notes=notes,
    )
    keep(folder, report)
    return report


def with_tokens_of(fused: Path, vocabulary: Vocabulary, parent: Parent, target: Path) -> Path:
    """A folder of an adapter in which its tokens have the ids that they have in a fused one.

    Its own folder where they have them already. Tokens that it was not trained on get no row; of those that the fused
    one lacks, its rows are left out.
    """
    from safetensors.numpy import save_file

    info, own = model_folder.read_info_and_vocabulary(parent.folder)
    if own.spelled_values() == vocabulary.spelled_values():
        return parent.folder
    made = fuse([parent], Recipe("cat", [1.0]))
    ids = _add_rows(made.tensors, [parent], [1.0], [own], vocabulary)
    target.mkdir()
    save_file(made.tensors, target / WEIGHTS)
    write_json(target / CONFIG, _config([parent], made.rank, ids))
    _write_tokenizer(target, fused, vocabulary, vocabulary)
    write_record(target / INFO, msgspec.structs.replace(info, values=vocabulary.spelled_values()))
    return target


def _add_rows(
    tensors: Tensors,
    parents: Sequence[Parent],
    weights: Sequence[float],
    vocabularies: Sequence[Vocabulary],
    vocabulary: Vocabulary,
) -> dict[str, list[int]]:
    """Add the trained rows of a vocabulary's tokens to the weights; returns their ids by the last part of the table."""
    ids: dict[str, list[int]] = {}
    named = [rows.tokens_of(one) for one in vocabularies]
    wanted = {token: id_ for id_, token in rows.tokens_of(vocabulary).items()}
    for table, (own, values) in rows.averaged(parents, weights, named, wanted).items():
        ids[table.rpartition(".")[2]] = own
        tensors[f"base_model.model.{table}.token_adapter.trainable_tokens_delta"] = values.astype(np.float32)
    return ids


def _vocabulary(
    parents: Sequence[Parent], vocabularies: Sequence[Vocabulary], cache_dir: Path
) -> tuple[Vocabulary, int]:
    """The tokens of the fused adapter, and how many values of its parents have no place there."""
    first, infos = vocabularies[0], [parent.info for parent in parents if parent.info]
    if all(one.values.keys() <= first.values.keys() for one in vocabularies):
        return first, 0
    if set(first.markers) != set(MARKERS):
        raise UserError(
            "the adapters know different values, and their markers are those of an earlier version",
            "train them again with this version",
        )
    tokenizer, pad_token, size = base_models.load_tokenizer(infos[0].base_model, cache_dir)
    all_values: list[Value] = rows.union(infos)
    room = max(spare_rows(tokenizer, size) - len(MARKERS), 0)
    kept = all_values[:room]
    vocabulary = Vocabulary.of_base_model(tokenizer, pad_token, infos[0].base_model, kept)
    return vocabulary, len(all_values) - len(kept)


def _write_tokenizer(folder: Path, source: Path, vocabulary: Vocabulary, known: Vocabulary) -> None:
    if vocabulary is known:
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(source / name, folder / name)
    else:
        vocabulary.save(folder / "vocab.json", folder)
        (folder / "vocab.json").unlink()
    ends = {"eos_token_id": vocabulary.markers[COMMIT_END], "pad_token_id": vocabulary.pad_id, "do_sample": False}
    write_json(folder / "generation_config.json", ends)


def _info(infos: Sequence[ModelInfo], vocabulary: Vocabulary, origin: Origin) -> ModelInfo:
    return ModelInfo(
        base_model=infos[0].base_model,
        pad_id=vocabulary.pad_id,
        markers=vocabulary.markers,
        values=vocabulary.spelled_values(),
        sequence_length=min(info.sequence_length for info in infos),
        is_adapter=True,
        settings=_settings(infos),
        base_sha256=next((info.base_sha256 for info in infos if info.base_sha256), msgspec.UNSET),
        origin=origin,
    )


def _settings(infos: Sequence[ModelInfo]) -> dict[str, dict[str, Any]]:
    """What decides the sequences, as the first adapter has it; of privacy what is weakest among all."""
    recorded = msgspec.to_builtins(msgspec.convert(infos[0].settings, RecordedSettings))
    for section, key in _PRIVATE:
        recorded.get(section, {}).pop(key, None)
    for section, key in agreement.SEQUENCES:
        if (value := infos[0].settings.get(section, {}).get(key)) is not None:
            recorded.setdefault(section, {})[key] = value
    tokenizing = recorded.setdefault("tokenizer", {})
    tokenizing["secrets"] = min((info.setting("tokenizer", "secrets", "mask") for info in infos), key=_STRICTEST.index)
    tokenizing["redact_emails"] = all(info.settings.get("tokenizer", {}).get("redact_emails") for info in infos)
    return dict(recorded)


def _config(parents: Sequence[Parent], rank: int, ids: dict[str, list[int]]) -> dict[str, Any]:
    """adapter_config.json, with what PEFT and servers of adapters read."""
    layers = {layer for parent in parents for layer in parent.layers}
    suffixes = {layer.rpartition(".")[2] for layer in layers}
    return {
        "base_model_name_or_path": parents[0].base_model,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "peft_type": "LORA",
        "r": rank,
        "target_modules": sorted(suffixes),
        "task_type": "CAUSAL_LM",
        "trainable_token_indices": ids or None,
        "use_rslora": False,
    }


def keep(folder: Path, report: FusionReport) -> None:
    """Keep a report: fusion.json, and the card for people."""
    write_record(folder / REPORT, report)
    (folder / CARD).write_text(card(report), encoding="utf-8")
