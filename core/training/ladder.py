"""`max_train_tokens: auto`: as many tokens as this machine trains on in a few minutes, from a short ladder.

A rung is chosen by the processor time of a probe step rather than by the clock, so
that two runs on one machine, one of them on a busy day, train on the same number of tokens. What was measured first
is kept in the cache folder and decides from then on.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.files import write_json
from core.logs import log
from core.models import base_models
from core.records.training import MemoryReport

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from core.training.arguments import Optimization

RUNGS = (131_072, 98_304, 65_536, 49_152, 32_768, 24_576, 16_384, 12_288, 8_192, 6_144, 4_096)
"""Numbers of tokens to train on."""
MINUTES = 2.0
"""How long so many steps like the probe may take; with validations it is three (the lowest rung may take longer)."""
SPEED = "training_speed.json"


def tokens_of(token_seconds: float) -> int:
    """The highest rung that takes at most MINUTES, or the lowest one."""
    return next((rung for rung in RUNGS if rung * token_seconds <= MINUTES * 60), RUNGS[-1])


def chosen_tokens(memory: MemoryReport, what: str, cache_dir: Path) -> int:
    """The rung for a training in the shape of `memory`, whose probe is only used where the cache has no time yet.

    `what` names everything else that decides the time of a step. Raises UserError where no step was probed.
    """
    path = cache_dir / SPEED
    key = f"{what}, {memory.micro_batch} x {memory.width}"
    known = _known(path)
    if key not in known:
        if not memory.idle_seconds:
            raise UserError(
                "max_train_tokens: auto needs the time of a probe step, which fit_memory: false leaves out",
                "set a number of tokens, or fit_memory: true",
            )
        known[key] = memory.idle_seconds / (memory.micro_batch * memory.accumulation * memory.width)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, known)
    tokens = tokens_of(known[key])
    log.info(
        "max_train_tokens: %s of %s to %s, since a token takes %.3g ms here (kept in %s)",
        *(f"{tokens:,}", f"{RUNGS[-1]:,}", f"{RUNGS[0]:,}", known[key] * 1000, path),
    )
    return tokens


def training_name(model: PreTrainedModel, how: Optimization) -> str:
    """What decides the time of a step beside its shape: the model, the arithmetic, and the machine."""
    import torch

    sizes = [value.numel() for value in model.parameters()]
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    arithmetic = f"{how.precision}, {how.optimizer}{', checkpointing' if how.gradient_checkpointing else ''}"
    device = torch.cuda.get_device_name() if base_models.device() == "cuda" else _processor()
    return f"{trained:,} of {sum(sizes):,} weights, {arithmetic}, {device}, {torch.get_num_threads()} threads"


def _known(path: Path) -> dict[str, float]:
    """Seconds a token by name; none where the file is missing or damaged, since it can be measured again."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, float) and value > 0}


def _processor() -> str:
    """Model name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
