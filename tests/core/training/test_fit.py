"""A training is fitted to the machine: its disk, and a GPU whose memory runs out after all."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from core.errors import StageError
from core.training import fit
from core.training.memory import Shape


def test_a_training_that_would_fill_the_disk_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
    with pytest.raises(StageError, match="of disk"):
        fit.check_disk(torch.nn.Linear(100, 100), tmp_path, checkpoints=3, whole=False)  # type: ignore[arg-type]


def test_a_gpu_that_runs_full_during_training_gets_less_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    path.write_text('{"micro_batch": 4, "accumulation": 1, "width": 64, "decisions": ["one"]}')
    with (
        pytest.raises(StageError, match="ran out of memory") as caught,
        fit.smaller_next_time(Shape(4, 1, 64), tmp_path),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    assert "run again" in caught.value.hint
    found = json.loads(path.read_text())
    assert (found["micro_batch"], found["accumulation"], found["width"]) == (2, 2, 64)
    assert len(found["decisions"]) == 2
    with pytest.raises(StageError) as caught, fit.smaller_next_time(Shape(1, 4, 512), tmp_path):
        raise torch.OutOfMemoryError("full")
    assert "sequence_length" in caught.value.hint
