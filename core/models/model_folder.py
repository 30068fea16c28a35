"""outputs/model/: a Hugging Face folder that also knows how it was made, and how to load it again."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.files import write_json
from core.models import base_models
from core.text.vocabulary import Vocabulary, values_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ABOUT = "gitlore.json"
CARD = "README.md"


@dataclass
class Loaded:
    """A model that is ready to be asked, with its vocabulary and what its folder says of itself."""

    model: PreTrainedModel
    vocabulary: Vocabulary
    about: dict[str, Any]
    adapter: str = ""
    """Name of its adapter, where several share a base model."""
    settled: bool = False
    """The adapter is in the weights: there is no untuned form any more."""

    @property
    def width(self) -> int:
        """Tokens that it was trained to see at once."""
        return int(self.about["sequence_length"])

    @property
    def sees_history(self) -> bool:
        """Whether it was trained to look back at earlier commits (`documents: history`)."""
        return bool(self.about["settings"].get("model_training", {}).get("documents", "history") == "history")

    @property
    def longest(self) -> int:
        """Most tokens that the architecture can see at once."""
        found = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return int(found or self.width)

    def activate(self) -> None:
        """Put this model's adapter on the shared base."""
        if self.adapter and self.model.active_adapter != self.adapter:
            self.model.set_adapter(self.adapter)
            self.model.requires_grad_(requires_grad=False)  # switching turns training on

    def settle(self) -> None:
        """Put the adapter into the weights, for good: a token then takes half the time on a CPU.

        Not where adapters are swapped, nor in weights of less than 32 bits, which would round it.
        """
        if hasattr(self.model, "peft_config") and not self.adapter:
            import torch

            if self.model.get_base_model().dtype == torch.float32:
                self.model, self.settled = self.model.merge_and_unload(), True

    @contextmanager
    def untuned(self) -> Iterator[PreTrainedModel]:
        """The base model as it was before training; the same weights, with the adapter switched off."""
        assert not self.settled
        off = self.model.disable_adapter() if hasattr(self.model, "disable_adapter") else nullcontext()
        with off:
            yield self.model


def write(
    folder: Path,
    model: PreTrainedModel,
    vocabulary: Vocabulary,
    tokenizer_dir: Path,
    settings: Mapping[str, Any],
    training: Mapping[str, Any],
    *,
    merge_in: Path | None = None,
) -> None:
    """Save adapter or model, tokenizer, generation config, settings and model card.

    With `merge_in`, the cache folder, a whole model instead of an adapter.
    """
    from transformers import GenerationConfig

    from core.text.grammar import COMMIT_END

    adapted = hasattr(model, "peft_config")
    merge = adapted and merge_in is not None
    if merge_in is not None and adapted:
        merged(model, vocabulary, merge_in).save_pretrained(folder)
    else:
        model.save_pretrained(folder)
    shutil.copytree(tokenizer_dir, folder, dirs_exist_ok=True)
    GenerationConfig(
        eos_token_id=vocabulary.markers[COMMIT_END], pad_token_id=vocabulary.pad_id, do_sample=False
    ).save_pretrained(folder)
    about = {
        "schema_version": "1.1",
        "base_model": vocabulary.base_model,
        "pad_id": vocabulary.pad_id,
        "markers": vocabulary.markers,
        "values": vocabulary.spelled_values(),
        "sequence_length": training["sequence_length"],
        "is_adapter": adapted and not merge,
        "settings": settings,
        "training": training,
    }
    write_json(folder / ABOUT, about)
    (folder / CARD).write_text(card(about, None), encoding="utf-8")


def merged(model: PreTrainedModel, vocabulary: Vocabulary, cache_dir: Path) -> PreTrainedModel:
    """The whole model with its adapter in it; a plain adapted one is of no more use then.

    Put into 4-bit weights an adapter would be rounded with them, so a base in its own precision is
    loaded for it, where there is room: in the machine's memory.
    """
    if not getattr(model.get_base_model(), "is_quantized", False):
        return model.merge_and_unload()
    from peft import PeftModel

    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder, save_embedding_layers=False)
        base = load_base(vocabulary.base_model, vocabulary, cache_dir, precision="bf16", place="cpu")
        return PeftModel.from_pretrained(base, folder).merge_and_unload()


def read_about(folder: Path) -> dict[str, Any]:
    """What the folder says of itself. Raises UserError where it is not one of ours."""
    path = folder / ABOUT
    try:
        about: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"{folder} holds no model of Gitlore ({ABOUT} is missing)", "train one first: python pipeline.py"
        ) from None
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}", "train the model again") from None
    if not isinstance(about, dict) or {"base_model", "values", "pad_id", "settings", "is_adapter"} - about.keys():
        raise UserError(f"{path} is damaged", "train the model again")
    return about


def load(folder: Path, cache_dir: Path, *, precision: str = "", four_bit: bool | None = None) -> Loaded:
    """The model with its adapter, and its vocabulary.

    Unless `precision` says otherwise a card gets what the model was trained with, so that it fits there
    again; a CPU the plainest numbers. `four_bit` None quantizes the base on a card, if the adapter was trained
    so. A merged, full or scratch model has no untuned form to switch to.
    """
    about = read_about(folder)
    vocabulary = load_vocabulary(folder, about)
    on_card = base_models.device() == "cuda"
    training = about["settings"].get("model_training", {})
    precision = precision or (training.get("precision", "auto") if on_card else "fp32")
    if not about["is_adapter"]:
        model = base_models.load_model(str(folder.resolve()), cache_dir, precision=precision)
        return Loaded(model, vocabulary, about)
    check_adapter(folder)
    if four_bit is None:
        four_bit = training.get("method") == "qlora" and on_card
    base = load_base(about["base_model"], vocabulary, cache_dir, precision=precision, four_bit=four_bit)
    return Loaded(adapted(base, folder), vocabulary, about)


def check_adapter(folder: Path) -> None:
    """Raise UserError where a file of the adapter is missing; PEFT would look for it on the model hub."""
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (folder / name).is_file():
            raise UserError(f"{folder} is damaged: {name} is missing", "train the model again")


def adapted(base: PreTrainedModel, folder: Path, name: str = "default") -> PreTrainedModel:
    """A base model with the adapter of a folder on it. Raises UserError where that is damaged."""
    from peft import PeftModel
    from safetensors import SafetensorError

    try:
        return PeftModel.from_pretrained(base, str(folder), adapter_name=name)
    except (SafetensorError, ValueError, RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"the adapter in {folder} cannot be loaded: {reason}", "train the model again") from None


def load_several(folders: Mapping[str, Path], cache_dir: Path) -> dict[str, Loaded]:
    """Models by name. Several must be adapters of one base model, which is loaded once; `activate` swaps them.

    Raises UserError where they are not.
    """
    first, *others = folders
    if not others:
        return {first: load(folders[first], cache_dir)}
    abouts = {name: read_about(folder) for name, folder in folders.items()}
    if not all(about["is_adapter"] for about in abouts.values()) or len({a["base_model"] for a in abouts.values()}) > 1:
        raise UserError("several models must be adapters of one base model", "serve the others by themselves")
    vocabularies = {name: load_vocabulary(folder, abouts[name]) for name, folder in folders.items()}
    for folder in folders.values():
        check_adapter(folder)
    # Each adapter brings the rows of its own tokens, so the base only has to have enough rows.
    widest = max(vocabularies.values(), key=lambda vocabulary: vocabulary.size)
    precision = "auto" if base_models.device() == "cuda" else "fp32"
    base = load_base(abouts[first]["base_model"], widest, cache_dir, precision=precision)
    model = adapted(base, folders[first], first)
    for name in others:
        model.load_adapter(str(folders[name]), adapter_name=name)
    return {name: Loaded(model, vocabularies[name], abouts[name], name) for name in folders}


def load_base(
    base_model: str,
    vocabulary: Vocabulary,
    cache_dir: Path,
    *,
    precision: str,
    four_bit: bool = False,
    place: str = "",
) -> PreTrainedModel:
    """The base model as a training began with it: with rows for our own tokens."""
    base = base_models.load_model(base_model, cache_dir, precision=precision, four_bit=four_bit, place=place)
    base_models.fit_to_vocabulary(base, vocabulary)
    return base


def load_vocabulary(folder: Path, about: Mapping[str, Any]) -> Vocabulary:
    """The vocabulary that a model folder was trained with."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # noqa: BLE001 - the library raises nothing more exact
        raise UserError(f"{folder} holds no tokenizer: {error}", "train the model again") from None
    vocabulary = Vocabulary.with_markers(tokenizer, about["base_model"], values_of(about["values"]))
    vocabulary.pad_id = about["pad_id"]
    return vocabulary


_CARD = """---
base_model: {base_model}
library_name: {library}
tags: [gitlore, git-history]
---

# A model of one repository's history

Trained by Gitlore (method {method}) on {trained_tokens:,} tokens in {steps:,} steps: {coverage:.1%} of the training
split's blocks. It continues a history written in Gitlore's commit grammar; ask it with

    python predict.py --model {folder} --repo PATH

## How good it is

{evaluation}

## What it has read

{data}

## Licence

The weights carry what the repository's licence covers, and the base model's licence on top; share them only as you
may share both. `trained_on.json` holds some of the repository's text as token ids. `gitlore.json` holds every setting.
"""


def card(about: Mapping[str, Any], evaluation: Mapping[str, Any] | None) -> str:
    """The model card (README.md), with figures once the model was evaluated."""
    training = about["training"]
    return _CARD.format(
        base_model=about["base_model"],
        library="peft" if about["is_adapter"] else "transformers",
        method=about["settings"].get("model_training", {}).get("method", "lora"),
        trained_tokens=training["trained_tokens"],
        steps=training["steps"],
        coverage=training["coverage"],
        folder="outputs/model",
        evaluation=_figures(evaluation) if evaluation else _validation(training.get("validation")),
        data=_data(evaluation["data"]) if evaluation else "See dataset_stats.json; `python evaluate.py` fills this in.",
    )


def _validation(found: Mapping[str, float] | None) -> str:
    measured = "It was not validated while it was trained."
    if found:
        measured = (
            f"Validation loss {found['best']:.3f} nats a token, {found['untuned']:.3f} before training. These blocks "
            "also chose the model that was kept."
        )
    return f"{measured} `python evaluate.py` measures it on the test split, beside baselines."


def _figures(evaluation: Mapping[str, Any]) -> str:
    rows = evaluation["splits"]["test"]["rows"]
    lines = ["| test split | bits per byte | of text alone | token accuracy |", "|---|---|---|---|"]
    for name, row in rows.items():
        text = f"{row['text_bits_per_byte']:.3f}" if "text_bits_per_byte" in row else ""
        bits = f"{row['bits_per_byte']:.3f}" if "bits_per_byte" in row else ""
        accuracy = f"{row['token_accuracy']:.1%}" if "token_accuracy" in row else ""
        lines.append(f"| {name} | {bits} | {text} | {accuracy} |")
    gain = evaluation["splits"]["test"].get("gain")
    said = ""
    if gain:
        said = f"\n\nFine-tuning saves {gain['text']['share']:.1%} of the bits of text" + (
            f" (95 % interval over commits {gain['text']['low']:.1%} to {gain['text']['high']:.1%})."
            if gain["text"]["low"] is not None
            else "."
        )
    return (
        "\n".join(lines)
        + said
        + f"\n\nAll rows on the same {rows['fine-tuned']['tokens']:,} tokens, in blocks of {evaluation['width']}. "
        + "Splits follow time: the test is newer than all that was trained on. "
        + " ".join(evaluation["warnings"])
    )


def _data(found: Mapping[str, Any]) -> str:
    parts = found["splits"].items()
    lines = ["| split | commits | tokens | from | to |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {one['commits']:,} | {one['tokens']:,} | {one['date_range']['first'][:10]} | "
        f"{one['date_range']['last'][:10]} |"
        for name, one in parts
    ]
    return f"Repository: {found['repository']}\n\n" + "\n".join(lines)
