"""What a training needs of memory, by formula, and what is free.

The formula counts what is held at the peak of a step. It is a floor: allocators round up and fragment, which is why
core/training/fit.py probes a worst-case step as well.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.process import peak_memory_mb
from core.records.training import MemoryReport

if TYPE_CHECKING:
    from transformers import PreTrainedModel

GIB = 2**30
LEAST_WIDTH = 64
CUDA_CONTEXT = GIB // 2
"""What a CUDA context and its kernels take before any tensor (0.3 to 0.5 GiB are reported)."""
_ELEMENT = {"fp32": 4, "bf16": 2, "fp16": 2}


@dataclass(frozen=True)
class Shape:
    """What goes through the model at once. The effective batch is `micro_batch * accumulation`."""

    micro_batch: int
    accumulation: int
    width: int

    @classmethod
    def of(cls, report: MemoryReport) -> Shape:
        """The shape that a report settled on."""
        return cls(report.micro_batch, report.accumulation, report.width)

    def smaller(self) -> Shape | None:
        """The next shape that needs less memory; None where there is none.

        The micro-batch shrinks first, since more accumulation keeps the effective batch and thereby the training
        the same. A shorter width trains on less context, so it is the last resort.
        """
        effective = self.micro_batch * self.accumulation
        for micro in range(self.micro_batch - 1, 0, -1):
            if effective % micro == 0 and micro <= max(self.micro_batch // 2, 1):
                return Shape(micro, effective // micro, self.width)
        return replace(self, width=self.width // 2) if self.width // 2 >= LEAST_WIDTH else None

    def __str__(self) -> str:
        return f"{self.micro_batch} x {self.width} tokens, {self.accumulation} times a step"


@dataclass(frozen=True)
class Measured:
    """What a probe measured. `peak` is in bytes: of the GPU, or of this process."""

    peak: int
    step_seconds: float
    idle_seconds: float
    """What it takes while nothing else runs, by its processor time; on a GPU the same as `step_seconds`."""


@dataclass(frozen=True)
class Sizes:
    """What decides the memory of a model; counts are numbers of weights."""

    weights_bytes: int
    trained: int
    optimizer_bytes: int
    """Bytes of the optimizer's state for each trained weight."""
    layers: int
    width: int
    attention: int
    """Width of queries, keys and values together."""
    feed_forward: int
    vocabulary: int
    element: int
    """Bytes of one number in the arithmetic."""
    adapted: bool
    checkpointing: bool
    logit_tokens: int
    """Tokens whose logits are in memory at once; 0 for those of the whole batch."""


def sizes_of(
    model: PreTrainedModel, *, precision: str, optimizer_bytes: int, checkpointing: bool, logit_tokens: int
) -> Sizes:
    """Read the sizes off a model that is ready to be trained; `precision` is that of its arithmetic."""
    config = model.config.get_text_config()
    heads = config.num_attention_heads
    head = getattr(config, "head_dim", None) or config.hidden_size // heads
    trained = [value for value in model.parameters() if value.requires_grad]
    return Sizes(
        weights_bytes=sum(value.numel() * value.element_size() for value in (*model.parameters(), *model.buffers())),
        trained=sum(value.numel() for value in trained),
        optimizer_bytes=optimizer_bytes,
        layers=config.num_hidden_layers,
        width=config.hidden_size,
        attention=head * (heads + 2 * (getattr(config, "num_key_value_heads", None) or heads)),
        feed_forward=getattr(config, "intermediate_size", None) or 4 * config.hidden_size,
        vocabulary=config.vocab_size,
        element=_ELEMENT[precision],
        adapted=hasattr(model, "peft_config"),
        checkpointing=checkpointing,
        logit_tokens=logit_tokens,
    )


def needed(sizes: Sizes, shape: Shape, *, on_gpu: bool, libraries: int = 0) -> dict[str, int]:
    """Bytes at the peak of a step, by use. `libraries` is what the process holds without a model."""
    tokens = shape.micro_batch * shape.width
    # Held for the backward pass, per token and layer: two vectors of the model's width in fp32, which norms compute
    # in, and two in the arithmetic's precision; queries, keys and values twice; four vectors of the feed-forward layer.
    one = 4 * 2 * sizes.width + sizes.element * (2 * sizes.width + 2 * sizes.attention + 4 * sizes.feed_forward)
    if sizes.checkpointing:  # each layer's input alone, and one layer that is being recomputed
        activations = tokens * (sizes.layers * sizes.element * sizes.width + one)
    else:
        activations = tokens * sizes.layers * one
    at_once = min(sizes.logit_tokens or tokens, tokens)
    # In chunks: logits and their gradient in the arithmetic's precision, and an fp32 copy. Whole: about 3.5 fp32 copies
    # were measured at the peak.
    logits = (
        at_once * sizes.vocabulary * (4 + 2 * sizes.element) if sizes.logit_tokens else tokens * sizes.vocabulary * 14
    )
    # The chunked loss makes the output layer's gradient itself, in fp32, where the layer is trained.
    whole_head = 0 if sizes.adapted or not sizes.logit_tokens else 4 * sizes.vocabulary * sizes.width
    return {
        "weights": sizes.weights_bytes,
        "gradients": 4 * sizes.trained,
        "optimizer": sizes.optimizer_bytes * sizes.trained,
        "activations": activations,
        "logits": logits + whole_head,
        ("CUDA context" if on_gpu else "libraries"): CUDA_CONTEXT if on_gpu else libraries,
    }


def sentence(shape: Shape, needs: dict[str, int], free: int) -> str:
    """The memory plan for the log."""
    parts = ", ".join(f"{name} {size / GIB:.2f}" for name, size in needs.items())
    return f"memory plan for {shape}: {parts}; {sum(needs.values()) / GIB:.2f} of {free / GIB:.2f} GiB free"


def free_bytes(limit_gib: float) -> int:
    """Memory that a training may use, including what this process holds already: of the GPU, or of the machine.

    A container's limit counts as the machine's. `limit_gib` above 0 is a bound from the settings.
    """
    import torch

    if torch.cuda.is_available():
        free = int(torch.cuda.mem_get_info()[0]) + torch.cuda.memory_reserved() + CUDA_CONTEXT
    else:
        free = _available() + held_bytes()
        free = min([free, *_container_limits()])
    return min(free, int(limit_gib * GIB)) if limit_gib else free


def held_bytes() -> int:
    """Resident memory of this process now, or its peak so far on systems without /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return int(peak_memory_mb() * 2**20)
    return pages * os.sysconf("SC_PAGE_SIZE")


def disk_needed(model: PreTrainedModel, checkpoints: int, *, whole: bool) -> int:
    """Bytes on disk of checkpoints (weights with the optimizer's state) and the model folder."""
    trained = sum(int(value.numel() * value.element_size()) for value in model.parameters() if value.requires_grad)
    every = sum(int(value.numel() * value.element_size()) for value in model.parameters())
    # While a checkpoint is being written, the one that it replaces is still there.
    return (checkpoints + 1) * 3 * trained + 2 * trained + (every if whole else 0)


def _available() -> int:
    """Memory of the machine that nothing uses, or all of it on systems without /proc."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        (free,) = (int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return free


def _container_limits() -> list[int]:
    found = []
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        path = Path("/sys/fs/cgroup") / name
        if path.is_file() and (text := path.read_text(encoding="ascii").strip()).isdigit():
            found.append(int(text))
    return found
