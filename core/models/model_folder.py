"""outputs/model/: a Hugging Face folder that also knows how it was made, and how to load it again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from core.config import checked_path
from core.errors import UserError
from core.models import adapters, base_models
from core.models.loading import damage_reported
from core.models.recorded import RecordedSettings
from core.records.fusion import Origin
from core.records.json_files import read_record, write_record
from core.records.training import TrainingSummary
from core.text.grammar import NAMED_FIELDS
from core.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel

INFO = "gitlore.json"
SCHEMA = "1.1"
_HINT = "train the model again"


class ModelInfo(msgspec.Struct, kw_only=True):
    """gitlore.json: how a model was made."""

    schema_version: str = SCHEMA
    base_model: str
    pad_id: int
    markers: dict[str, int] = {}
    values: dict[str, dict[str, int]]
    """Ids of promoted values, by field and text."""
    sequence_length: Annotated[int, msgspec.Meta(ge=1, le=1 << 20)] = 512
    """Tokens that the model was trained to see at once."""
    is_adapter: bool
    settings: dict[str, dict[str, Any]]
    """Every setting of the run, by section."""
    training: TrainingSummary | None = None
    base_sha256: str | msgspec.UnsetType = msgspec.UNSET
    """Of the base model's config and weights (`base_models.digest`); adapters made before 0.4 lack it."""
    origin: Origin | msgspec.UnsetType = msgspec.UNSET
    """What it was fused from; absent where it was trained."""

    @property
    def identity(self) -> str:
        """Tells a model from every other one: the figures of its training are among what it is made of."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:16]

    def setting(self, section: str, key: str, default: str) -> str:
        """One of the settings; models of an earlier version may lack it."""
        return str(self.settings.get(section, {}).get(key, default))

    @property
    def method(self) -> str:
        """How the model was trained: lora, qlora, full or scratch."""
        return self.setting("model_training", "method", "lora")

    @property
    def sees_history(self) -> bool:
        """Whether it was trained to look back at earlier commits (`documents: history`)."""
        return self.setting("model_training", "documents", "history") == "history"

    @property
    def sees_past_edits(self) -> bool:
        """Whether it was trained to see a past edit before each edit."""
        training = self.settings.get("model_training", {})
        return training.get("objective") == "edits" and bool(training.get("nearest_edit"))


@dataclass
class Loaded:
    """A model that is ready to use, with its vocabulary and how it was made."""

    model: PreTrainedModel
    vocabulary: Vocabulary
    info: ModelInfo
    adapter: str = ""
    """Name of its adapter, where several share a base model."""
    merged: bool = False
    """The adapter is in the weights, so the untuned form is gone."""

    @property
    def width(self) -> int:
        """Tokens that it was trained to see at once."""
        return self.info.sequence_length

    @property
    def sees_history(self) -> bool:
        """As `ModelInfo` says."""
        return self.info.sees_history

    @property
    def sees_past_edits(self) -> bool:
        """As `ModelInfo` says."""
        return self.info.sees_past_edits

    @property
    def longest(self) -> int:
        """Maximum number of tokens that the architecture can see at once."""
        found = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return int(found or self.width)

    def activate(self) -> None:
        """Switch the shared base to this model's adapter."""
        if self.adapter and self.model.active_adapter != self.adapter:
            self.model.set_adapter(self.adapter)
            self.model.requires_grad_(requires_grad=False)  # switching turns training on

    def merge_adapter(self) -> None:
        """Merge the adapter into the weights for good: a token then takes half the time on a CPU.

        Does nothing if adapters share a base, or if the weights have less than 32 bits, which would round it.
        """
        if adapters.has_adapter(self.model) and not self.adapter:
            import torch

            if self.model.get_base_model().dtype == torch.float32:
                self.model, self.merged = self.model.merge_and_unload(), True

    @contextmanager
    def untuned(self) -> Iterator[PreTrainedModel]:
        """The base model as it was before training: the same weights with the adapter switched off."""
        assert not self.merged
        off = self.model.disable_adapter() if hasattr(self.model, "disable_adapter") else nullcontext()
        with off:
            yield self.model


def write(
    folder: Path,
    model: PreTrainedModel,
    vocabulary: Vocabulary,
    tokenizer_dir: Path,
    settings: Mapping[str, Any],
    training: TrainingSummary,
    cache_dir: Path,
    *,
    merge: bool = False,
) -> None:
    """Save adapter or model, tokenizer, generation config and how they were made.

    With `merge`, a whole model instead of an adapter.
    """
    from transformers import GenerationConfig

    from core.text.grammar import COMMIT_END

    keeps_adapter = adapters.has_adapter(model) and not merge
    if merge:
        model = adapters.merged(model, vocabulary, cache_dir)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty template; the card is an output of evaluate
    shutil.copytree(tokenizer_dir, folder, dirs_exist_ok=True)
    GenerationConfig(
        eos_token_id=vocabulary.markers[COMMIT_END], pad_token_id=vocabulary.pad_id, do_sample=False
    ).save_pretrained(folder)
    info = ModelInfo(
        base_model=vocabulary.base_model,
        pad_id=vocabulary.pad_id,
        markers=vocabulary.markers,
        values=vocabulary.spelled_values(),
        sequence_length=training.sequence_length,
        is_adapter=keeps_adapter,
        settings=dict(settings),
        training=training,
        base_sha256=base_models.digest(vocabulary.base_model, cache_dir) if keeps_adapter else msgspec.UNSET,
    )
    write_record(folder / INFO, info)
    if keeps_adapter:
        adapters.describe(folder, info.base_model, str(info.base_sha256), info.identity)


def read_info(folder: Path) -> ModelInfo:
    """How the model in a folder was made. Raises UserError if it is not a model of Gitlore."""
    if not (checked_path(folder) / INFO).is_file():
        raise UserError(
            f"{folder} is not a model of Gitlore ({INFO} is missing)", "train one first: python pipeline.py"
        )
    info = read_record(folder / INFO, ModelInfo, SCHEMA, _HINT)
    try:
        msgspec.convert(info.settings, RecordedSettings)
    except msgspec.ValidationError as error:
        raise UserError(f"{folder / INFO} is damaged: in its settings: {error}", _HINT) from None
    return info


def load(folder: Path, cache_dir: Path, *, precision: str = "", four_bit: bool | None = None) -> Loaded:
    """The model with its adapter, and its vocabulary.

    Without a `precision`, a GPU gets the one of the training, so that the model fits there again, and a CPU fp32.
    `four_bit` None quantizes the base on a GPU if the adapter was trained so. A merged, full or scratch model has no
    untuned form to switch to. Raises UserError if the folder is damaged or not a model of Gitlore.
    """
    info, vocabulary = read_info_and_vocabulary(folder)
    on_gpu = base_models.device() == "cuda"
    precision = precision or (info.setting("model_training", "precision", "auto") if on_gpu else "fp32")
    if not info.is_adapter:
        model = base_models.load_model(str(folder.resolve()), cache_dir, precision=precision)
        if (rows := model.get_input_embeddings().weight.shape[0]) < vocabulary.size:
            raise UserError(f"{folder} is damaged: {rows:,} embeddings for {vocabulary.size:,} tokens", _HINT)
        return Loaded(model, vocabulary, info)
    adapters.check_complete(folder)  # before the base is loaded
    if four_bit is None:
        four_bit = info.method == "qlora" and on_gpu
    base = base_models.load_prepared(info.base_model, vocabulary, cache_dir, precision=precision, four_bit=four_bit)
    return Loaded(adapters.load_onto(base, folder), vocabulary, info)


def load_several(folders: Mapping[str, Path], cache_dir: Path) -> dict[str, Loaded]:
    """Models by name. Several must be adapters of one base model, which is loaded once; `activate` switches them.

    Raises UserError where they are not.
    """
    first, *others = folders
    if not others:
        return {first: load(folders[first], cache_dir)}
    found = {name: read_info_and_vocabulary(folder) for name, folder in folders.items()}
    infos = [info for info, _ in found.values()]
    if not all(info.is_adapter for info in infos) or len({info.base_model for info in infos}) > 1:
        raise UserError("several models must be adapters of one base model", "serve each of the others separately")
    for folder in folders.values():
        adapters.check_complete(folder)
    # Each adapter brings the rows of its own tokens, so the base only has to have enough rows.
    widest = max((vocabulary for _, vocabulary in found.values()), key=lambda vocabulary: vocabulary.size)
    precision = "auto" if base_models.device() == "cuda" else "fp32"
    base = base_models.load_prepared(infos[0].base_model, widest, cache_dir, precision=precision)
    model = adapters.load_onto(base, folders[first], first)
    for name in others:
        with damage_reported(f"the adapter in {folders[name]}", _HINT):
            model.load_adapter(str(folders[name]), adapter_name=name)
    return {name: Loaded(model, vocabulary, info, name) for name, (info, vocabulary) in found.items()}


def read_info_and_vocabulary(folder: Path) -> tuple[ModelInfo, Vocabulary]:
    """What every way of loading reads first. Raises UserError if the folder is damaged or not a model of Gitlore."""
    info = read_info(folder)
    if unknown := info.values.keys() - NAMED_FIELDS.values():
        raise UserError(f"{folder / INFO} is damaged: '{min(unknown)}' is no field with values", _HINT)
    vocabulary = Vocabulary.read(folder, info.base_model, info.values, info.pad_id, _HINT)
    others = info.markers and info.markers != vocabulary.markers
    if others or info.values != vocabulary.spelled_values() or not 0 <= info.pad_id < vocabulary.size:
        raise UserError(f"{folder} is damaged: {INFO} and tokenizer.json do not match", _HINT)
    return info, vocabulary
