"""Will it fit? What a training needs by formula against what is free, and one worst-case step to be sure.

The formula counts what stands at the peak of a step. It is a floor: allocators round up and fragment. So the
probe has the last word, and where memory runs out, the micro-batch goes down (accumulation goes up, so that the
effective batch stays), then the context.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import StageError
from core.logs import log
from core.process import peak_memory_mb

if TYPE_CHECKING:
    from transformers import PreTrainedModel

GIB = 2**30
LEAST_WIDTH = 64
CUDA_CONTEXT = GIB // 2
"""What a CUDA context and its kernels take before any tensor (0.3 to 0.5 GiB are reported)."""


@dataclass(frozen=True)
class Shape:
    """What goes through the model at once. The effective batch is `micro_batch * accumulation`."""

    micro_batch: int
    accumulation: int
    width: int

    def smaller(self) -> Shape | None:
        """The next shape that needs less memory; None where there is none."""
        effective = self.micro_batch * self.accumulation
        for micro in range(self.micro_batch - 1, 0, -1):
            if effective % micro == 0 and micro <= max(self.micro_batch // 2, 1):
                return Shape(micro, effective // micro, self.width)
        return replace(self, width=self.width // 2) if self.width // 2 >= LEAST_WIDTH else None

    def __str__(self) -> str:
        return f"{self.micro_batch} x {self.width} tokens, {self.accumulation} times a step"


@dataclass(frozen=True)
class Measured:
    """What a probe saw. `peak` is in bytes: of the card, or of this process."""

    peak: int
    step_seconds: float


@dataclass(frozen=True)
class Sizes:
    """What decides the memory of a model; counts are numbers of weights, `element` is bytes of one in arithmetic."""

    weights_bytes: int
    trained: int
    optimizer_bytes: int
    """Of the optimizer's state, for each trained weight."""
    layers: int
    width: int
    attention: int
    """Width of queries, keys and values together."""
    feed_forward: int
    vocabulary: int
    element: int
    adapted: bool
    checkpointing: bool
    logit_tokens: int
    """Tokens whose logits stand at once; 0: those of the whole batch."""


def sizes_of(
    model: PreTrainedModel, *, element: int, optimizer_bytes: int, checkpointing: bool, logit_tokens: int
) -> Sizes:
    """Read the sizes off a model that is ready to be trained."""
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
        element=element,
        adapted=hasattr(model, "peft_config"),
        checkpointing=checkpointing,
        logit_tokens=logit_tokens,
    )


def needed(sizes: Sizes, shape: Shape, *, on_card: bool, libraries: int = 0) -> dict[str, int]:
    """Bytes at the peak of a step, by what they are for. `libraries` is what the process holds without a model."""
    tokens = shape.micro_batch * shape.width
    one = 4 * 2 * sizes.width + sizes.element * (2 * sizes.width + 2 * sizes.attention + 4 * sizes.feed_forward)
    if sizes.checkpointing:
        activations = tokens * (sizes.layers * sizes.element * sizes.width + one)
    else:
        activations = tokens * sizes.layers * one
    at_once = min(sizes.logit_tokens or tokens, tokens)
    logits = (
        at_once * sizes.vocabulary * (4 + 2 * sizes.element) if sizes.logit_tokens else tokens * sizes.vocabulary * 14
    )
    whole_head = 0 if sizes.adapted or not sizes.logit_tokens else 4 * sizes.vocabulary * sizes.width
    return {
        "weights": sizes.weights_bytes,
        "gradients": 4 * sizes.trained,
        "optimizer": sizes.optimizer_bytes * sizes.trained,
        "activations": activations,
        "logits": logits + whole_head,
        ("CUDA context" if on_card else "libraries"): CUDA_CONTEXT if on_card else libraries,
    }


def fit(
    shape: Shape,
    needs: Callable[[Shape], dict[str, int]],
    free: int,
    probe: Callable[[Shape], Measured],
) -> tuple[Shape, Measured, list[str]]:
    """The largest shape from `shape` down that fits by plan and by probe, what the probe saw, and each step down.

    Raises StageError where not even the smallest one fits.
    """
    import torch

    decisions: list[str] = []
    while True:
        total = sum(needs(shape).values())
        try:
            if total <= free:
                return shape, probe(shape), decisions
            why = f"{shape} would need {total / GIB:.2f} GiB of the {free / GIB:.2f} GiB that are free"
        except torch.OutOfMemoryError:
            why = f"the card ran out of memory with {shape}"
        less = shape.smaller()
        if less is None:
            raise StageError(
                f"this model does not fit: {why}",
                "take a smaller model_training.base_model, method: qlora, or gradient_checkpointing: true",
            )
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        decisions.append(f"{why}: going on with {less}")
        log.warning("%s", decisions[-1])
        shape = less


def report(shape: Shape, needs: dict[str, int], free: int, measured: Measured, decisions: list[str]) -> dict[str, Any]:
    """The plan beside what the probe measured, JSON-ready; sizes in bytes."""
    return {
        "micro_batch": shape.micro_batch,
        "accumulation": shape.accumulation,
        "width": shape.width,
        "planned": needs,
        "planned_total": sum(needs.values()),
        "free": free,
        "measured_peak": measured.peak,
        "step_seconds": measured.step_seconds,
        "decisions": decisions,
    }


def sentence(shape: Shape, needs: dict[str, int], free: int) -> str:
    """The plan for people."""
    parts = ", ".join(f"{name} {size / GIB:.2f}" for name, size in needs.items())
    return f"memory plan for {shape}: {parts}; {sum(needs.values()) / GIB:.2f} of {free / GIB:.2f} GiB free"


def free_bytes(limit_gib: float) -> int:
    """Memory that a training may use, counting what this process holds already: of the card, else of the machine.

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
    """Resident memory of this process now; its peak so far where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return int(peak_memory_mb() * 2**20)
    return pages * os.sysconf("SC_PAGE_SIZE")


def disk_needed(model: PreTrainedModel, checkpoints: int, *, whole: bool) -> int:
    """Bytes that checkpoints (weights with the optimizer's state) and the model folder will take on the disk."""
    trained = sum(int(value.numel() * value.element_size()) for value in model.parameters() if value.requires_grad)
    every = sum(int(value.numel() * value.element_size()) for value in model.parameters())
    # While a checkpoint is being written, the one that it replaces is still there.
    return (checkpoints + 1) * 3 * trained + 2 * trained + (every if whole else 0)


def _available() -> int:
    """Memory of the machine that nobody needs; all that there is where the system does not tell."""
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
