"""Stage 5: a causal language model fine-tuned on the history.

    python train_model.py --vocab outputs/vocab.json --train-data outputs/training_data_train.pt \\
        --val-data outputs/training_data_val.pt

Trains a LoRA adapter on a pre-trained base model (or a small model from scratch), on blocks spread
over the whole training split, and scores it beside the untouched base on the same held-out tokens.
Writes model/ (adapter, tokenizer, model card), model_weights.pt and training_logs/.
"""

from __future__ import annotations

import functools
import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from core import base_models, checkpoints, model_folder
from core.cli import stage_main
from core.config import EMBEDDED_MODEL, Section
from core.errors import StageError, UserError
from core.evaluation import evaluate, spread_blocks
from core.files import write_json
from core.logs import log
from core.prediction import Predictor, commits_in
from core.stage import Context, Stage
from core.token_files import SPLITS, load, save
from core.training_logs import EVALUATION
from core.vocabulary import STANDALONE, Vocabulary

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, TrainingArguments

CURVE_TOKENS = 2048
"""Validation tokens scored at each point of the validation curve; the final score uses eval_tokens."""


class ModelTrainingConfig(Section):
    """What is trained, on how much, and how."""

    base_model: str = EMBEDDED_MODEL
    """Pre-trained model: "embedded" (SmolLM2-135M, inside an installed wheel), a folder, or a hub id."""
    method: Literal["lora", "qlora", "scratch"] = "lora"
    """LoRA adapter; the same on a 4-bit base (CUDA card); or a small model from scratch, without a base."""
    sequence_length: int = Field(default=512, ge=8)
    """Tokens that the model sees at once."""
    batch_size: int = Field(default=1, ge=1)
    """Blocks per forward pass."""
    gradient_accumulation: int = Field(default=1, ge=1)
    """Forward passes per optimizer step."""
    epochs: float = Field(default=1.0, gt=0)
    """Passes over the training split, if no budget below ends the training first."""
    max_steps: int = Field(default=0, ge=0)
    """Most optimizer steps; 0 sets no bound."""
    max_train_tokens: int = Field(default=0, ge=0)
    """Most tokens to train on, in blocks spread evenly over the history; 0 sets no bound."""
    learning_rate: float = Field(default=5e-4, gt=0)
    """Peak learning rate."""
    warmup_steps: float = Field(default=0.05, ge=0)
    """Steps (or, below 1, share of all steps) until the learning rate peaks."""
    scheduler: Literal["cosine", "linear", "constant"] = "cosine"
    """How the learning rate falls afterwards."""
    weight_decay: float = Field(default=0.01, ge=0)
    """L2 regularization of the trained weights."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Longer gradients are clipped."""
    lora_rank: int = Field(default=16, ge=1)
    """Rank of the adapter's matrices."""
    lora_alpha: int = Field(default=32, ge=1)
    """Scale of the adapter: alpha / rank."""
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout inside the adapter."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: about a third slower, far less memory."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic of the forward pass; "auto" asks the device."""
    scratch_hidden: int = Field(default=192, ge=32, multiple_of=32)
    """Width of a model trained from scratch."""
    scratch_layers: int = Field(default=4, ge=1)
    """Layers of a model trained from scratch."""
    checkpoint_steps: int = Field(default=25, ge=1)
    """Steps between checkpoints; a killed run goes on from the last one."""
    eval_tokens: int = Field(default=8192, ge=0)
    """Tokens of validation and of test that are scored, spread evenly; 0 scores all of them."""
    validation_points: int = Field(default=4, ge=0)
    """Points of the validation curve after the first."""
    example_predictions: int = Field(default=3, ge=0)
    """Commits of the test split that are predicted for the report, beside what really came."""
    seed: int = Field(default=17, ge=0, lt=2**32)
    """Seed of everything random."""
    resume: str = Field(default="", json_schema_extra={"flag_value": checkpoints.AUTO, "control": True})
    """Checkpoint folder to go on from; "auto" takes the newest of an earlier run, finished or not."""


def run(ctx: Context[ModelTrainingConfig]) -> None:
    """Write model/, model_weights.pt and training_logs/."""
    config = ctx.config
    vocabulary = Vocabulary.load(ctx.input("vocab.json"), ctx.input("tokenizer"))
    check_fit(vocabulary, config)
    train, val, test = (load(ctx.input(f"training_data_{name}.pt"), ["stream"])["stream"] for name in SPLITS)
    logs = ctx.scratch / "training_logs"
    checkpoint = checkpoints.find(config.resume, logs, ctx.published("training_logs"))
    if checkpoint:
        checkpoints.check_rank(checkpoint, None if config.method == "scratch" else config.lora_rank)
    logs.mkdir(parents=True, exist_ok=True)
    model = make_model(config, vocabulary, ctx.cache_dir)
    held_out = {"val": val, "test": test}
    baseline = scored_once(logs / "baseline.json", model, held_out, vocabulary, config)
    model = add_adapter(model, vocabulary, config)
    coverage = plan_training(len(train), config)
    log.info("%s", describe_plan(coverage))
    with out_of_memory_explained():
        train_blocks(model, train, val, vocabulary, coverage, logs, checkpoint, config)
    tuned = {name: score(model, stream, vocabulary, config) for name, stream in held_out.items()}
    report_scores(baseline, tuned)
    examples = predict_examples(model, train, val, test, vocabulary, config)
    evaluation = {"schema_version": "1.0", "baseline": baseline, "tuned": tuned, **coverage, "examples": examples}
    model_folder.write(ctx.output("model"), model, vocabulary, ctx.input("tokenizer"), ctx.resolved, evaluation)
    save(ctx.output("model_weights.pt"), model_folder.trainable_state(model))
    write_json(logs / EVALUATION, evaluation)
    checkpoints.keep_newest(logs / checkpoints.FOLDER)
    shutil.copytree(logs, ctx.output("training_logs"))  # scratch keeps its copy until all is published
    ctx.count("optimizer steps", coverage["steps"])
    ctx.count("tokens trained on", coverage["trained_tokens"])


def check_fit(vocabulary: Vocabulary, config: ModelTrainingConfig) -> None:
    """Raise UserError unless the tokens were made for the model that is to be trained."""
    if config.method == "scratch":
        return
    if vocabulary.base_model == STANDALONE:
        raise UserError(
            "tokenizer.mode is standalone, but a pre-trained model knows only its own tokens",
            "set model_training.method: scratch, or tokenizer.mode: base_model",
        )
    if vocabulary.base_model != config.base_model:
        raise UserError(
            f"the tokens were made for base model '{vocabulary.base_model}', not '{config.base_model}'",
            "run the tokenizer stage again with this base model",
        )


def make_model(config: ModelTrainingConfig, vocabulary: Vocabulary, cache_dir: Path) -> PreTrainedModel:
    """The base model, ready for our markers; or a small one with random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM, set_seed

    base_models.quiet_transformers()
    set_seed(config.seed)
    if config.method == "scratch":
        shape = LlamaConfig(
            vocab_size=vocabulary.size,
            hidden_size=config.scratch_hidden,
            intermediate_size=4 * config.scratch_hidden,
            num_hidden_layers=config.scratch_layers,
            num_attention_heads=config.scratch_hidden // 32,
            max_position_embeddings=max(2048, config.sequence_length),
            tie_word_embeddings=True,
            pad_token_id=vocabulary.pad_id,
            bos_token_id=None,
            eos_token_id=None,
        )
        return LlamaForCausalLM(shape).to(base_models.device())
    model = base_models.load_model(
        config.base_model, cache_dir, precision=config.precision, four_bit=config.method == "qlora"
    )
    base_models.fit_to_vocabulary(model, vocabulary)
    return model


def add_adapter(model: PreTrainedModel, vocabulary: Vocabulary, config: ModelTrainingConfig) -> PreTrainedModel:
    """A LoRA adapter on all linear layers, with the embedding rows of our own tokens trained beside it."""
    if config.method == "scratch":
        return model
    from peft import LoraConfig, get_peft_model

    if config.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.requires_grad_(False)
    rows = vocabulary.own_ids
    tied = model.config.get_text_config().tie_word_embeddings
    adapter = LoraConfig(
        task_type="CAUSAL_LM",
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules="all-linear",
        trainable_token_indices=rows if tied else {"embed_tokens": rows, "lm_head": rows},
    )
    adapted = get_peft_model(model, adapter)
    # The marker rows are in the adapter already; without this every checkpoint repeats the whole embedding.
    adapted.save_pretrained = functools.partial(adapted.save_pretrained, save_embedding_layers=False)
    return adapted


def plan_training(tokens: int, config: ModelTrainingConfig) -> dict[str, Any]:
    """How many steps on which share of the training split: the smallest of the budgets in the config."""
    blocks = len(spread_blocks(tokens, config.sequence_length, None))
    if not blocks:
        raise UserError("the training split holds less than two tokens", "take a repository with more history")
    per_step = config.batch_size * config.gradient_accumulation
    wanted = blocks * config.epochs
    if config.max_train_tokens:
        wanted = min(wanted, config.max_train_tokens / config.sequence_length)
    if config.max_steps:
        wanted = min(wanted, config.max_steps * per_step)
    steps = max(math.ceil(wanted / per_step), 1)
    used = min(steps * per_step, blocks)
    return {
        "steps": steps,
        "blocks_used": used,
        "blocks_available": blocks,
        "coverage": used / blocks,
        "train_tokens": tokens,
        "trained_tokens": min(steps * per_step * config.sequence_length, math.ceil(tokens * steps * per_step / blocks)),
        "sequence_length": config.sequence_length,
        "precision": base_models.resolved_precision(config.precision),
    }


def describe_plan(coverage: dict[str, Any]) -> str:
    """The plan as a sentence."""
    return (
        f"training {coverage['steps']:,} steps on {coverage['blocks_used']:,} of {coverage['blocks_available']:,} "
        f"blocks of {coverage['sequence_length']} tokens, spread over the history: "
        f"{coverage['coverage']:.1%} of the training split"
    )


def train_blocks(
    model: PreTrainedModel,
    train: torch.Tensor,
    val: torch.Tensor,
    vocabulary: Vocabulary,
    coverage: dict[str, Any],
    logs: Path,
    checkpoint: Path | None,
    config: ModelTrainingConfig,
) -> None:
    """Train in place. Raises KeyboardInterrupt after an interrupt, with a checkpoint saved."""
    from transformers import Trainer

    from core.progress import Progress
    from core.training_monitor import Blocks, TrainingMonitor

    width, steps = config.sequence_length, coverage["steps"]
    blocks = spread_blocks(len(train), width, coverage["blocks_used"] * width)
    curve = spread_blocks(len(val), width, CURVE_TOKENS)
    every = math.ceil(steps / config.validation_points) if config.validation_points else 0

    def validate() -> float:
        return evaluate(model, val, curve, vocabulary, width).as_dict()["loss"]  # type: ignore[no-any-return]

    # Blocks of one length only: a short last block joins when it is alone.
    whole = [block for block in blocks if block[1] - block[0] == width] or blocks
    with Progress("training", steps, "steps") as progress:
        monitor = TrainingMonitor(logs, progress, validate, every)
        trainer = Trainer(
            model=model,
            args=_arguments(logs, coverage, config),
            train_dataset=Blocks(train, whole),
            callbacks=[monitor],
        )
        trainer.pop_callback(_printer())
        if checkpoint:
            log.info("going on from %s", checkpoint.name)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if monitor.interrupted:
        raise KeyboardInterrupt


def score(
    model: PreTrainedModel, stream: torch.Tensor, vocabulary: Vocabulary, config: ModelTrainingConfig
) -> dict[str, Any]:
    """The model's figures on one split."""
    blocks = spread_blocks(len(stream), config.sequence_length, config.eval_tokens or None)
    return evaluate(model, stream, blocks, vocabulary, config.sequence_length).as_dict()


def scored_once(
    path: Path,
    model: PreTrainedModel,
    held_out: dict[str, torch.Tensor],
    vocabulary: Vocabulary,
    config: ModelTrainingConfig,
) -> dict[str, Any]:
    """The untouched base model's figures; a resumed run reads them instead of measuring again."""
    if not path.exists():
        log.info("scoring the untouched base model")
        write_json(path, {name: score(model, stream, vocabulary, config) for name, stream in held_out.items()})
    figures: dict[str, Any] = json.loads(path.read_bytes())
    return figures


def report_scores(baseline: dict[str, Any], tuned: dict[str, Any]) -> None:
    """One line per split: base model beside fine-tuned."""
    for name, after in tuned.items():
        before = baseline[name]
        log.info(
            "%s: perplexity %.2f (base %.2f), text only %.2f (base %.2f), token accuracy %.1f%% (base %.1f%%)",
            *(name, after["perplexity"], before["perplexity"], after["text_perplexity"], before["text_perplexity"]),
            *(100 * after["token_accuracy"], 100 * before["token_accuracy"]),
        )


def predict_examples(
    model: PreTrainedModel,
    train: torch.Tensor,
    val: torch.Tensor,
    test: torch.Tensor,
    vocabulary: Vocabulary,
    config: ModelTrainingConfig,
) -> list[dict[str, Any]]:
    """Predictions for commits of the test split, spread over it, beside what they really changed."""
    if not config.example_predictions:
        return []
    known = {path for stream in (train, val) for seen in commits_in(stream, vocabulary) for path, _ in seen.changes}
    ids = test.tolist()
    commits = commits_in(test, vocabulary)
    count = min(config.example_predictions, len(commits))
    predictor = Predictor(model, vocabulary, config.sequence_length)
    examples = []
    for number in range(count):
        place = (2 * number + 1) * len(commits) // (2 * count)
        commit = commits[place]
        paths = sorted(known | {path for seen in commits[:place] for path, _ in seen.changes})
        history = (val.tolist() + ids[: commit.start]) if place == 0 else ids[: commit.start]
        head = vocabulary.decode(ids[commit.start : commit.head_end])
        examples.append(
            {
                "head": head,
                "predicted": asdict(predictor.predict(history, ids[commit.start : commit.head_end], paths)),
                "truth": [{"file": path, "change_type": change} for path, change in commit.changes],
                "truth_code": vocabulary.decode(ids[slice(*commit.first_code)])[:2000],
            }
        )
    return examples


@contextmanager
def out_of_memory_explained() -> Iterator[None]:
    """Turn a full card into a sentence."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise StageError(
            f"the card ran out of memory: {str(error).split('.')[0]}",
            "lower model_training.batch_size or sequence_length, or set gradient_checkpointing: true",
        ) from error


def _arguments(logs: Path, coverage: dict[str, Any], config: ModelTrainingConfig) -> TrainingArguments:
    import torch
    from transformers import TrainingArguments

    on_card = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(logs / checkpoints.FOLDER),
        max_steps=coverage["steps"],
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.gradient_accumulation,
        learning_rate=config.learning_rate,
        warmup_steps=config.warmup_steps,
        lr_scheduler_type=config.scheduler,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        train_sampling_strategy="sequential",
        seed=config.seed,
        use_cpu=not on_card,
        bf16=coverage["precision"] == "bf16",
        fp16=coverage["precision"] == "fp16" and on_card,
        gradient_checkpointing=config.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if config.gradient_checkpointing else None,
        logging_steps=1,
        save_steps=config.checkpoint_steps,
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=on_card,
    )


def _printer() -> type:
    """The Trainer's callback that prints every log entry; ours writes them down instead."""
    from transformers.trainer_callback import PrinterCallback

    return PrinterCallback  # type: ignore[no-any-return]


def _sources(config: ModelTrainingConfig) -> dict[str, str]:
    return base_models.state(config.base_model)


STAGE = Stage(
    name="model_training",
    help="fine-tune the base model on the history and score both on held-out commits",
    config=ModelTrainingConfig,
    run=run,
    inputs=("vocab.json", "tokenizer", *(f"training_data_{name}.pt" for name in SPLITS)),
    outputs=("model", "model_weights.pt", "training_logs"),
    flags={
        "vocab": "vocab.json",
        "train-data": "training_data_train.pt",
        "val-data": "training_data_val.pt",
        "test-data": "training_data_test.pt",
        "output": "model",
    },
    sources=_sources,
    libraries=("torch", "transformers", "peft"),
)

if __name__ == "__main__":
    stage_main(STAGE)
