"""Checkpoint folders of a training: which are complete, which to resume from, which to keep."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from core import process
from core.config import expand
from core.errors import UserError
from core.files import remove
from core.records.training import METRICS

FOLDER = "checkpoints"
AUTO, LAST = "auto", "last"
"""What `resume` and `continue_from` accept instead of a folder."""
ORDER = "order.json"
"""Which examples are trained on, in which order."""
_STATE = "trainer_state.json"


def resumed(resume: str, logs: Path, published: Path, rank: int | None) -> Path | None:
    """The checkpoint to resume from, inside `logs`; None to start from scratch.

    `logs` and `published` are the training_logs folders of this training and of the last finished one, `rank` is that
    of the adapter, None for a whole model. Raises UserError where the checkpoint does not fit.
    """
    checkpoint = find(resume, logs, published)
    if checkpoint is None:
        return None
    check_rank(checkpoint, rank)
    if process.world_size() > 1 and not checkpoint.is_relative_to(logs):
        raise UserError("several processes can only resume from a checkpoint of this very training", "resume in one")
    return adopt(checkpoint, logs)


def find(resume: str, own: Path, earlier: Path) -> Path | None:
    """The checkpoint to resume from, None to start from scratch.

    `own` and `earlier` are training_logs folders: that of an unfinished run of this very training, which is always
    resumed, and that of the last finished one, which is resumed for "auto" only. Any other `resume` names a
    checkpoint. Raises UserError where the requested one is not there.
    """
    if resume not in ("", AUTO):
        named = expand(resume)
        if not is_complete(named):
            raise UserError(f"{named} is not a checkpoint folder", f"see training_logs/{FOLDER}")
        return named
    found = newest(own / FOLDER) or (newest(earlier / FOLDER) if resume else None)
    if resume and not found:
        raise UserError("there is no checkpoint to resume from", "run without --resume first")
    return found


def adopt(checkpoint: Path, logs: Path) -> Path:
    """A checkpoint as one of the training whose logs are in `logs`: of another training, a copy with its metrics.

    The best model of that other training is gone, so the search for the best one starts again.
    """
    own = logs / FOLDER / checkpoint.name
    if checkpoint.resolve().is_relative_to(logs.resolve()):
        return checkpoint
    remove(own)
    shutil.copytree(checkpoint, own)
    state = json.loads((own / _STATE).read_bytes())
    state |= {"best_metric": None, "best_global_step": None, "best_model_checkpoint": None}
    (own / _STATE).write_text(json.dumps(state, indent=2))
    for name in (METRICS, ORDER):
        theirs = checkpoint.parent.parent / name
        if theirs.exists() and not (logs / name).exists():
            shutil.copy(theirs, logs / name)
    return own


def newest(folder: Path) -> Path | None:
    """The complete checkpoint with the most steps."""
    return max((path for path in _all(folder) if is_complete(path)), key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """The optimizer step that a checkpoint was written after."""
    return int(checkpoint.name.rpartition("-")[2])


def keep_newest(folder: Path) -> None:
    """Leave one checkpoint, for a later training to resume from."""
    kept = newest(folder)
    for path in _all(folder):
        if path != kept:
            remove(path)


def is_complete(checkpoint: Path) -> bool:
    """Whether a checkpoint was written to its end."""
    try:
        return "global_step" in json.loads((checkpoint / _STATE).read_bytes())
    except (OSError, ValueError):
        return False


def check_rank(checkpoint: Path, rank: int | None) -> None:
    """Raise UserError unless the checkpoint's adapter has this rank (None: it is a whole model)."""
    path = checkpoint / "adapter_config.json"
    has = json.loads(path.read_bytes())["r"] if path.exists() else None
    if has != rank:
        raise UserError(
            f"{checkpoint} has an adapter of rank {has}, the settings want {rank}",
            "resume with the method and lora_rank that the checkpoint was made with, or train from scratch",
        )


def _all(folder: Path) -> Iterable[Path]:
    return list(folder.glob("checkpoint-*"))
