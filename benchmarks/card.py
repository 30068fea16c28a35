"""Ten minutes on a GPU: do the models that plans are made for fit into 8 GiB, and how fast are they?

    python -m benchmarks.card

Prints one table. Weights are random, of the published shapes, in NF4; adapter, optimizer, chunked loss, checkpointing
and the loop are those of stage 6. The process may use 8 GiB (`torch.cuda.set_per_process_memory_fraction`). A row has
the memory plan, the highest memory of a few steps, and tokens per second; then come the arithmetic of a card before
Ampere (fp16 with a scaled loss), and a training on all cards that are here, started with accelerate. Without a GPU a
small model takes the same steps, and what could not be seen is said.
"""

from __future__ import annotations

import gc
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmarks.random_models import (
    CHUNK,
    CODE_LLAMA_7B,
    LLAMA_2_7B,
    QWEN_1_5B,
    SMALL,
    Published,
    build,
    four_bit_bytes,
)
from core.models import base_models
from core.training import memory
from core.training.memory import GIB, Shape

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CAP_GIB = 8.0
STEPS = 6
"""Of each training."""
_HEAD = ("what", "tokens at once", "arithmetic", "plan GiB", "peak GiB", "tokens/s", "result")


@dataclass(frozen=True)
class Row:
    """One line of the table; "" is what was not measured."""

    what: str
    shape: str
    precision: str
    plan: str
    peak: str = ""
    rate: str = ""
    result: str = "not measured"


def main() -> None:
    """Print the table, row by row, then what this machine cannot show."""
    on_gpu = torch.cuda.is_available()
    print(heading(on_gpu=on_gpu))
    print(f"| {' | '.join(_HEAD)} |\n{'|---' * len(_HEAD)}|", flush=True)
    for row in rows(on_gpu=on_gpu):
        print(f"| {' | '.join(vars(row).values())} |", flush=True)
    print("\n".join(f"- not seen: {line}" for line in unseen(on_gpu=on_gpu)))


def heading(*, on_gpu: bool) -> str:
    """The machine; on a GPU its memory is capped from here on."""
    if not on_gpu:
        return "no GPU here: plans, and a small model on the CPU"
    properties = torch.cuda.get_device_properties(0)
    total = properties.total_memory
    torch.cuda.set_per_process_memory_fraction(min((CAP_GIB * GIB - memory.CUDA_CONTEXT) / total, 1.0))
    return (
        f"{torch.cuda.device_count()} x {properties.name}, compute capability {properties.major}.{properties.minor}, "
        f"{total / GIB:.1f} GiB, capped at {CAP_GIB:g} GiB, {memory.CUDA_CONTEXT / GIB:g} of them for its context"
    )


def rows(*, on_gpu: bool) -> Iterator[Row]:
    """All checks, the important ones first."""
    native = base_models.resolved_precision("auto")
    for model, shape in (
        *((QWEN_1_5B, shape) for shape in QWEN_1_5B.shapes),
        *((model, model.shapes[0]) for model in (CODE_LLAMA_7B, LLAMA_2_7B)),
    ):
        yield trained(model, shape, native) if on_gpu else planned(model, shape, "fp16")
    if on_gpu and native != "fp16":
        yield trained(QWEN_1_5B, QWEN_1_5B.shapes[0], "fp16")
    if not on_gpu:
        yield trained(SMALL, SMALL.shapes[0], native)
    yield together(max(torch.cuda.device_count(), 1) if on_gpu else 2, on_gpu=on_gpu)


def unseen(*, on_gpu: bool) -> Iterator[str]:
    """What this machine cannot show."""
    if not on_gpu:
        yield "memory and speed of a GPU, the cap of 8 GiB, fp16 with a scaled loss, paged 8-bit optimizer state"
    elif torch.cuda.get_device_capability() >= (8, 0):
        yield "kernels of a card before Ampere: fp16 ran here by its rules, but on a newer card"
    if torch.cuda.device_count() < 2:
        yield "several GPUs in one training"


def planned(model: Published, shape: Shape, precision: str) -> Row:
    """The plan for a GPU, made from the shape alone."""
    made = build(model, "meta", precision)
    sizes = memory.sizes_of(made, precision=precision, optimizer_bytes=2, checkpointing=True, logit_tokens=CHUNK)
    needs = memory.needed(replace(sizes, weights_bytes=four_bit_bytes(made)), shape, on_gpu=True)
    return Row(model.name, _shown(shape), precision, f"{sum(needs.values()) / GIB:.2f}")


def trained(model: Published, shape: Shape, precision: str) -> Row:
    """The plan, and what a few steps of a training took."""
    device, held = base_models.device(), memory.held_bytes()
    made = build(model, device, precision)
    on_gpu = device == "cuda"
    optimizer_bytes = 2 if on_gpu else 8
    sizes = memory.sizes_of(
        made, precision=precision, optimizer_bytes=optimizer_bytes, checkpointing=True, logit_tokens=CHUNK
    )
    needs = memory.needed(sizes, shape, on_gpu=on_gpu, libraries=held)
    row = Row(model.name, _shown(shape), precision, f"{sum(needs.values()) / GIB:.2f}")
    try:
        rate, losses = steps_of(made, shape, model.values["vocab_size"], precision)
    except torch.OutOfMemoryError as error:
        return replace(row, result=f"DOES NOT FIT: {str(error).split('.', maxsplit=1)[0]}")
    finally:
        peak = torch.cuda.max_memory_reserved() + memory.CUDA_CONTEXT if on_gpu else memory.held_bytes()
        del made
        gc.collect()
        if on_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
    finite = all(torch.isfinite(torch.tensor(losses)).tolist())
    result = f"loss {losses[0]:.2f} to {losses[-1]:.2f}" if finite else "the loss is not finite"
    return replace(row, peak=f"{peak / GIB:.2f}", rate=f"{rate:,.0f}", result=result)


def steps_of(model: PreTrainedModel, shape: Shape, vocabulary: int, precision: str) -> tuple[float, list[float]]:
    """(tokens a second, losses) of a few steps of stage 6's loop on random tokens, one micro-batch each."""
    from core.estimating.rehearsal import Rehearsal
    from core.records.training import read_metrics
    from core.training import loop
    from core.training.arguments import training_arguments
    from core.training.examples import Chosen, Collator
    from train_model import ModelTrainingConfig, optimization_of

    settings = ModelTrainingConfig.model_validate(
        {"method": "qlora", "gradient_checkpointing": True, "precision": precision, "checkpoint_steps": STEPS}
    )
    generator, count = torch.Generator().manual_seed(0), shape.micro_batch * STEPS
    ids = torch.randint(0, vocabulary, (count, shape.width), generator=generator)
    examples = Chosen([{"input_ids": row, "labels": row} for row in ids], range(count))  # type: ignore[arg-type]
    one = Shape(shape.micro_batch, 1, shape.width)
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder)
        arguments = training_arguments(logs / "checkpoints", one, optimization_of(settings), steps=STEPS)
        arguments.set_save("no")
        rules = loop.Rules(1 << 30, 0, 0.0)
        rehearsal = Rehearsal(model, settings.seed)
        rehearsal.run(
            lambda: loop.train(model, examples, None, arguments, rules, Collator(0), logs, None), count * shape.width
        )
        return rehearsal.speed.mean, [entry["loss"] for entry in read_metrics(logs) if "loss" in entry]


def together(processes: int, *, on_gpu: bool) -> Row:
    """A training of several processes, as accelerate starts them: all must end with the same weights."""
    launch = ["-m", "accelerate.commands.launch", "--num_processes", str(processes), "--num_machines", "1"]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    launch += ["--multi_gpu"] if processes > 1 else []
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, *launch, "--module", "benchmarks.card", "--child", folder]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        ends = [json.loads(path.read_bytes()) for path in Path(folder).glob("*.json")]
    where = f"{processes} {'GPUs' if on_gpu else 'processes'}"
    row = Row(f"accelerate on {where}", _shown(SMALL.shapes[0]), "fp32", "")
    if done.returncode or len(ends) != processes:
        return replace(row, result=f"FAILED: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    same = len({end["weights"] for end in ends}) == 1
    result = "all end with the same weights" if same else "THE WEIGHTS DIFFER"
    return replace(row, rate=f"{sum(end['rate'] for end in ends):,.0f}", result=result)


def child(folder: Path) -> None:
    """One of these processes."""
    from core import process
    from core.training.adapter import trainable_state

    if torch.cuda.is_available():
        torch.cuda.set_device(process.rank())
    model = build(SMALL, base_models.device(), "fp32")
    rate, _ = steps_of(model, SMALL.shapes[0], SMALL.values["vocab_size"], "fp32")
    weights = b"".join(value.numpy().tobytes() for value in trainable_state(model).values())
    (folder / f"{process.rank()}.json").write_text(
        json.dumps({"rate": rate, "weights": hashlib.sha256(weights).hexdigest()})
    )


def _shown(shape: Shape) -> str:
    return f"{shape.micro_batch} x {shape.width:,}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]))
    else:
        main()
