"""outputs/model/: a Hugging Face folder that also knows how it was made, and how to load it again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import base_models
from core.errors import UserError
from core.files import write_json
from core.vocabulary import Vocabulary, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor
    from transformers import PreTrainedModel

ABOUT = "gitlore.json"
VOCAB = "vocab.json"

_CARD = """---
base_model: {base_model}
library_name: {library}
tags: [gitlore, git-history]
---

# A model of one repository's history

Trained by Gitlore ({method}) on {trained_tokens:,} tokens in {steps:,} steps: {coverage:.1%} of the training split.
It continues a history written in Gitlore's commit grammar; ask it with

    python predict.py --model {folder} --repo PATH

| split | perplexity | base model | text only | base model | token accuracy | base model |
|---|---|---|---|---|---|---|
{rows}

Both columns of a pair are measured on the same tokens, in blocks of {width}; "text only" leaves Gitlore's own markers
out, which the base model has never seen. The splits follow time: training is older than validation, validation older
than test. `gitlore.json` holds every setting.

The weights carry what the repository's licence covers; share them only as you may share the code.
"""


def write(
    folder: Path,
    model: PreTrainedModel,
    vocabulary: Vocabulary,
    tokenizer_dir: Path,
    settings: Mapping[str, Any],
    evaluation: Mapping[str, Any],
) -> None:
    """Save adapter or model, tokenizer, generation config, settings and model card."""
    from transformers import GenerationConfig

    from core.commit_grammar import COMMIT_END

    model.save_pretrained(folder)
    shutil.copytree(tokenizer_dir, folder, dirs_exist_ok=True)
    GenerationConfig(
        eos_token_id=vocabulary.markers[COMMIT_END], pad_token_id=vocabulary.pad_id, do_sample=False
    ).save_pretrained(folder)
    about = {
        "schema_version": "1.0",
        "base_model": vocabulary.base_model,
        "pad_id": vocabulary.pad_id,
        "markers": vocabulary.markers,
        "values": vocabulary.spelled_values(),
        "sequence_length": evaluation["sequence_length"],
        "is_adapter": hasattr(model, "peft_config"),
        "settings": settings,
    }
    write_json(folder / ABOUT, about)
    (folder / "README.md").write_text(_card(about, evaluation), encoding="utf-8")


def trainable_state(model: PreTrainedModel) -> dict[str, Tensor]:
    """The weights that were trained, by name, on the CPU."""
    return {name: value.detach().cpu() for name, value in model.named_parameters() if value.requires_grad}


def read_about(folder: Path) -> dict[str, Any]:
    """What the folder says of itself. Raises UserError where it is not one of ours."""
    path = folder / ABOUT
    try:
        about: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UserError(
            f"{folder} holds no model of Gitlore ({ABOUT} is missing)", "train one first: python pipeline.py"
        ) from None
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}", "train the model again") from None
    return about


def load(folder: Path, cache_dir: Path) -> tuple[PreTrainedModel, Vocabulary]:
    """The model with its adapter, ready to be asked, and its vocabulary."""
    from tokenizers import Tokenizer

    about = read_about(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    vocabulary = Vocabulary.with_markers(tokenizer, about["base_model"], values_of(about["values"]))
    vocabulary.pad_id = about["pad_id"]
    training = about["settings"].get("model_training", {})
    # A card gets what the model was trained with, so that it fits there again; a CPU the plainest numbers.
    precision = training.get("precision", "auto") if base_models.device() == "cuda" else "fp32"
    if not about["is_adapter"]:
        return base_models.load_model(str(folder.resolve()), cache_dir, precision=precision), vocabulary
    from peft import PeftModel

    four_bit = training.get("method") == "qlora" and base_models.device() == "cuda"
    base = base_models.load_model(about["base_model"], cache_dir, precision=precision, four_bit=four_bit)
    base_models.fit_to_vocabulary(base, vocabulary)
    return PeftModel.from_pretrained(base, str(folder)), vocabulary


def _card(about: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    rows = []
    for split, after in evaluation["tuned"].items():
        before = evaluation["baseline"][split]
        pairs = [f"{after[key]:.2f} | {before[key]:.2f}" for key in ("perplexity", "text_perplexity")]
        accuracy = f"{after['token_accuracy']:.1%} | {before['token_accuracy']:.1%}"
        rows.append(f"| {split} | {' | '.join(pairs)} | {accuracy} |")
    return _CARD.format(
        base_model=about["base_model"],
        library="peft" if about["is_adapter"] else "transformers",
        method=about["settings"].get("model_training", {}).get("method", "lora"),
        trained_tokens=evaluation["trained_tokens"],
        steps=evaluation["steps"],
        coverage=evaluation["coverage"],
        folder="outputs/model",
        width=evaluation["sequence_length"],
        rows="\n".join(rows),
    )
