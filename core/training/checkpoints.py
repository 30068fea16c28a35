"""Checkpoint folders of a training: which are complete, which to go on from, which to keep."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from core.config import expand
from core.errors import UserError
from core.files import remove
from core.training.logs import METRICS

FOLDER = "checkpoints"
AUTO = "auto"
ORDER = "order.json"
"""Which examples are trained on, in which order."""
_STATE = "trainer_state.json"


def find(resume: str, own: Path, earlier: Path) -> Path | None:
    """The checkpoint to go on from, None to start anew.

    `own` and `earlier` are training_logs folders: that of an unfinished run of this very training,
    always gone on from, and that of the last finished one, only for `resume` "auto". Any other
    `resume` names a checkpoint. Raises UserError when what was asked for is not there.
    """
    if resume not in ("", AUTO):
        named = expand(resume)
        if not is_complete(named):
            raise UserError(f"{named} is not a checkpoint folder", f"they lie in training_logs/{FOLDER}")
        return named
    found = newest(own / FOLDER) or (newest(earlier / FOLDER) if resume else None)
    if resume and not found:
        raise UserError("there is no checkpoint to resume from", "run without --resume first")
    return found


def adopt(checkpoint: Path, logs: Path) -> Path:
    """A checkpoint as one of the training whose logs are in `logs`: where it is another's, a copy with its metrics.

    The best model of that other training is not there any more, so the best is looked for anew.
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
    complete = [path for path in _all(folder) if is_complete(path)]
    return max(complete, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def keep_newest(folder: Path) -> None:
    """Leave one checkpoint, to train on from later."""
    kept = newest(folder)
    for path in _all(folder):
        if path != kept:
            remove(path)


def is_complete(checkpoint: Path) -> bool:
    """True for a checkpoint that was written to its end."""
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
            f"{checkpoint} has an adapter of rank {has}, the settings ask for {rank}",
            "resume with the method and lora_rank that the checkpoint was made with, or train anew",
        )


def _all(folder: Path) -> Iterable[Path]:
    return list(folder.glob("checkpoint-*"))
