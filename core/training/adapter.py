"""Which weights are trained: a LoRA adapter with the embedding rows of our own tokens, or every weight."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The layers of Llama, Qwen, Mistral, Gemma and their like."""


def add_lora(
    model: PreTrainedModel,
    rows: Sequence[int],
    *,
    rank: int,
    alpha: int,
    dropout: float,
    target_modules: Sequence[str] = (),
) -> PreTrainedModel:
    """Freeze the model and put a LoRA adapter on it that also trains the embedding rows `rows`.

    Without `target_modules`, all linear layers but the output layer get one. The base stays in its own precision
    (PEFT's `prepare_model_for_kbit_training` would make embeddings and output layer float32: 2 GiB more on a 7B
    model); the adapter is float32. Raises UserError for names that the model does not have.
    """
    from peft import LoraConfig, get_peft_model

    model.requires_grad_(requires_grad=False)
    tables = [model.get_input_embeddings()]
    if not model.config.get_text_config().tie_word_embeddings:
        tables.append(model.get_output_embeddings())
    names = [name.rpartition(".")[2] for name, module in model.named_modules() if module in tables]
    settings = LoraConfig(
        task_type="CAUSAL_LM",
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=list(target_modules) or _linear(model),
        trainable_token_indices={name: list(rows) for name in names},
    )
    try:
        return ready(get_peft_model(model, settings))
    except ValueError as error:
        if "target_modules" not in str(error) and "Target modules" not in str(error):
            raise
        raise UserError(
            f"the base model has no layers named {', '.join(target_modules)}", "see model_training.target_modules"
        ) from None


def ready(adapted: PreTrainedModel) -> PreTrainedModel:
    """An adapted model that saves its trained embedding rows in the adapter only.

    They are in there already; otherwise every checkpoint would repeat the whole embedding.
    """
    adapted.save_pretrained = functools.partial(adapted.save_pretrained, save_embedding_layers=False)
    return adapted


def load_weights(model: PreTrainedModel, folder: Path) -> None:
    """Give the new adapter of `model` the weights of a model folder. Raises UserError where their layers differ."""
    from peft import set_peft_model_state_dict
    from peft.utils import load_peft_weights

    path = folder / "adapter_config.json"
    if not path.is_file():
        raise UserError(f"{folder} holds no adapter to continue from", "see model_training.continue_from")
    own, theirs = model.peft_config["default"], json.loads(path.read_bytes())
    for name, mine, their in (
        ("lora_rank", own.r, theirs["r"]),
        ("lora_alpha", own.lora_alpha, theirs["lora_alpha"]),
        ("target_modules", sorted(own.target_modules), sorted(theirs["target_modules"])),
    ):
        if mine != their:
            raise UserError(f"the adapter in {folder} has another {name}", f"set model_training.{name}: {their}")
    loaded = set_peft_model_state_dict(model, load_peft_weights(str(folder), device="cpu"))
    if loaded.unexpected_keys:
        raise UserError(f"the adapter in {folder} has other layers than the settings want", "see target_modules")


def trainable_state(model: PreTrainedModel) -> dict[str, Tensor]:
    """The weights that are trained, by name, on the CPU."""
    return {name: value.detach().cpu() for name, value in model.named_parameters() if value.requires_grad}


def _linear(model: PreTrainedModel) -> list[str] | str:
    """The usual linear layers where the model has them (by name, so that all versions of PEFT agree), else all."""
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    return list(LINEAR) if set(LINEAR) <= names else "all-linear"
