"""The Trainer's arguments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core import process
from core.models import base_models
from core.training.memory import Shape

if TYPE_CHECKING:
    from transformers import TrainingArguments


@dataclass(frozen=True)
class Optimization:
    """How weights are updated, and how often a checkpoint is saved; the settings of the same names."""

    learning_rate: float
    warmup_steps: float
    scheduler: str
    optimizer: str
    """adamw or adamw_8bit."""
    weight_decay: float
    max_grad_norm: float
    precision: str
    """fp32, bf16 or fp16."""
    gradient_checkpointing: bool
    checkpoint_steps: int
    keep_checkpoints: int
    seed: int

    @property
    def optimizer_bytes(self) -> int:
        """Bytes of the optimizer's state for each trained weight: two moments."""
        return 2 if self.optimizer == "adamw_8bit" else 8


def resolved_optimizer(optimizer: str, *, four_bit: bool) -> str:
    """The optimizer itself, or for "auto" the one with 8-bit state for a 4-bit base on a GPU, adamw otherwise."""
    if optimizer != "auto":
        return optimizer
    return "adamw_8bit" if four_bit and base_models.device() == "cuda" else "adamw"


def training_arguments(
    folder: Path, shape: Shape, how: Optimization, *, steps: int, validate_every: int = 0
) -> TrainingArguments:
    """Arguments for a training of `steps` steps that saves to `folder`.

    With `validate_every`, the validation loss after every so many steps decides which model is kept.
    """
    from transformers import TrainingArguments

    on_gpu = base_models.device() == "cuda"
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=shape.micro_batch,
        per_device_eval_batch_size=shape.micro_batch,
        gradient_accumulation_steps=shape.accumulation,
        learning_rate=how.learning_rate,
        warmup_steps=how.warmup_steps,
        lr_scheduler_type=how.scheduler,
        optim="paged_adamw_8bit" if how.optimizer == "adamw_8bit" else "adamw_torch_fused",
        weight_decay=how.weight_decay,
        max_grad_norm=how.max_grad_norm,
        train_sampling_strategy="sequential",  # the plan has the order
        seed=how.seed,
        use_cpu=not on_gpu,
        bf16=how.precision == "bf16",
        fp16=how.precision == "fp16" and on_gpu,
        activation_checkpointing=how.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if how.gradient_checkpointing else None,
        logging_steps=1,
        eval_strategy="steps" if validate_every else "no",
        eval_steps=validate_every or None,
        prediction_loss_only=True,
        save_steps=validate_every or how.checkpoint_steps,
        save_total_limit=how.keep_checkpoints,
        load_best_model_at_end=bool(validate_every),
        metric_for_best_model="loss" if validate_every else None,
        greater_is_better=False if validate_every else None,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=on_gpu,
        ddp_find_unused_parameters=False if process.world_size() > 1 else None,
    )
