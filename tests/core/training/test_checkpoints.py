"""Which checkpoint a training resumes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import UserError
from core.training import checkpoints


def make(logs: Path, step: int, *, complete: bool = True, rank: int | None = 4) -> Path:
    folder = logs / "checkpoints" / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}) if complete else "")
    if rank is not None:
        (folder / "adapter_config.json").write_text(json.dumps({"r": rank}))
    return folder


def test_an_unfinished_run_resumes_from_its_newest_complete_checkpoint(tmp_path: Path) -> None:
    own, earlier = tmp_path / "own", tmp_path / "earlier"
    assert checkpoints.find("", own, earlier) is None
    make(earlier, 99)
    assert checkpoints.find("", own, earlier) is None
    make(own, 9)
    ten = make(own, 10)
    make(own, 11, complete=False)
    assert checkpoints.find("", own, earlier) == ten
    assert checkpoints.find("auto", own, earlier) == ten


def test_resume_takes_a_finished_run_or_a_named_checkpoint(tmp_path: Path) -> None:
    own, earlier = tmp_path / "own", tmp_path / "earlier"
    with pytest.raises(UserError, match="no checkpoint"):
        checkpoints.find("auto", own, earlier)
    five, six = make(earlier, 5), make(earlier, 6)
    assert checkpoints.find("auto", own, earlier) == six
    assert checkpoints.find(str(five), own, earlier) == five
    with pytest.raises(UserError, match="not a checkpoint folder"):
        checkpoints.find(str(tmp_path), own, earlier)


def test_adapter_of_another_rank_is_refused(tmp_path: Path) -> None:
    adapter, whole = make(tmp_path, 1, rank=4), make(tmp_path, 2, rank=None)
    checkpoints.check_rank(adapter, 4)
    checkpoints.check_rank(whole, None)
    for checkpoint, rank in ((adapter, 8), (adapter, None), (whole, 4)):
        with pytest.raises(UserError, match="adapter of rank"):
            checkpoints.check_rank(checkpoint, rank)


def test_only_the_newest_is_kept(tmp_path: Path) -> None:
    for step in (2, 10, 9):
        make(tmp_path, step)
    make(tmp_path, 11, complete=False)
    checkpoints.keep_newest(tmp_path / "checkpoints")
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["checkpoint-10"]


def test_a_checkpoint_of_another_training_is_copied(tmp_path: Path) -> None:
    logs, other = tmp_path / "own", tmp_path / "other"
    mine, theirs = make(logs, 5), make(other, 7)
    (other / "metrics.jsonl").write_text('{"step": 0, "val_loss": 1.0}\n')
    (theirs / "trainer_state.json").write_text('{"global_step": 7, "best_model_checkpoint": "/gone"}')
    assert checkpoints.adopt(mine, logs) == mine
    adopted = checkpoints.adopt(theirs, logs)
    assert adopted == logs / "checkpoints" / "checkpoint-7"
    assert json.loads((adopted / "trainer_state.json").read_text())["best_model_checkpoint"] is None
    assert (logs / "metrics.jsonl").read_text().startswith('{"step": 0')
    assert json.loads((theirs / "trainer_state.json").read_text())["best_model_checkpoint"] == "/gone"


def test_several_processes_resume_from_their_own_checkpoints_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, other = tmp_path / "own", tmp_path / "other"
    make(other, 7)
    assert checkpoints.resumed("", logs, other, 4) is None
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="several processes"):
        checkpoints.resumed("auto", logs, other, 4)
    mine = make(logs, 5)
    assert checkpoints.resumed("auto", logs, other, 4) == mine
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert checkpoints.resumed(str(other / "checkpoints" / "checkpoint-7"), logs, other, 4) == mine.with_name(
        "checkpoint-7"
    )
