"""Stage 6 as a command: trainings that are killed, interrupted, resumed, continued."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
import torch
from builders import Program, Repo, wait_for

from core.records.training import SUMMARY

pytestmark = pytest.mark.xdist_group("resumed training")
ARGUMENTS = (
    *("--vocab", "outputs/vocab.json", "--max-steps", "40", "--epochs", "50"),
    *("--checkpoint-steps", "5", "--validation-points", "3"),
)


def weights(program: Program) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = torch.load(program.folder / "outputs" / "model_weights.pt", weights_only=True)
    return loaded


def scratch(program: Program) -> Path:
    return program.folder / "outputs" / ".gitlore" / "scratch" / "model_training"


@pytest.fixture(scope="module")
def trained(finished: Program, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A training that was long enough to be killed, and was not. Not to be changed."""
    program = finished.copy(tmp_path_factory.mktemp("trained") / "copied")
    done = program.run("train_model.py", *ARGUMENTS)
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_weights(trained: Program, tmp_path: Path) -> None:
    program = trained.copy(tmp_path / "killed")
    outputs = program.folder / "outputs"
    before = (outputs / "model_weights.pt").read_bytes()
    process = program.start("train_model.py", *ARGUMENTS)
    saved = "*/training_logs/checkpoints/checkpoint-10/trainer_state.json"
    wait_for(lambda: list(scratch(program).glob(saved)) or process.poll() is not None)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert (outputs / "model_weights.pt").read_bytes() == before
    done = program.run("train_model.py", *ARGUMENTS)
    assert done.returncode == 0, done.stderr
    assert "from checkpoint-" in done.stderr
    resumed, undisturbed = weights(program), weights(trained)
    assert resumed.keys() == undisturbed.keys()
    assert all(torch.equal(resumed[name], undisturbed[name]) for name in resumed)
    lines = (outputs / "training_logs" / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert sorted(set(steps)) == list(range(41))
    assert len(steps) == 40 + 4


def test_an_interrupted_training_keeps_a_checkpoint(trained: Program, tmp_path: Path) -> None:
    program = trained.copy(tmp_path / "interrupted")
    process = program.start("train_model.py", *ARGUMENTS, "--seed", "5")
    saved = "*/training_logs/checkpoints/checkpoint-5/trainer_state.json"
    wait_for(lambda: list(scratch(program).glob(saved)) or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout_s=120)
    assert process.returncode == 130
    assert list(scratch(program).glob("*/training_logs/checkpoints/checkpoint-*"))


def test_resuming_needs_a_checkpoint(copied: Program, tmp_path: Path) -> None:
    done = copied.run("train_model.py", *ARGUMENTS, "--resume", str(tmp_path))
    assert done.returncode == 2
    assert "is not a checkpoint folder" in done.stderr


def test_a_finished_training_can_be_resumed_with_more_steps(trained: Program, tmp_path: Path) -> None:
    program = trained.copy(tmp_path / "longer")
    done = program.run("train_model.py", *ARGUMENTS, "--max-steps", "44", "--resume")
    assert done.returncode == 0, done.stderr
    assert "from checkpoint-40" in done.stderr
    newest = list((program.folder / "outputs" / "training_logs" / "checkpoints").iterdir())
    assert [path.name for path in newest] == ["checkpoint-44"]


@pytest.mark.slow
def test_an_earlier_model_is_continued_with_new_commits(copied: Program) -> None:
    outputs = copied.folder / "outputs"
    last = ("--set", "model_training.continue_from=last", "--set", "dataset_builder.keep_boundaries=false")
    shutil.rmtree(outputs / "model")
    done = copied.run("pipeline.py", *last, "--until", "model_training")
    assert done.returncode == 0, done.stderr
    assert "starts from scratch" in done.stderr
    first = weights(copied)
    done = copied.run("pipeline.py", *last, "--stage", "model_training", "--force")
    assert done.returncode == 2
    assert "trained on the whole training split already" in done.stderr
    repo = Repo(copied.folder / "repo", clock=1_700_000_000)
    for number in range(12):
        body = "".join(f"pub fn added_{number}_{i}(y: u64) -> u64 {{\n    y * {i}\n}}\n\n" for i in range(3))
        repo.commit(f"more {number}", {f"src/new_{number % 3}.rs": body})
    done = copied.run("pipeline.py", *last, "--until", "model_training")
    assert done.returncode == 0, done.stderr
    found = json.loads((outputs / "training_logs" / SUMMARY).read_text())
    assert found["replayed_blocks"] == 1  # 0.3 of four
    assert found["forgetting"]["tokens"] > 100
    assert found["forgetting"]["before"] != found["forgetting"]["after"]
    second = weights(copied)
    assert second.keys() == first.keys()
    assert any(not torch.equal(first[name], second[name]) for name in first)


def test_only_a_model_can_be_continued(copied: Program) -> None:
    done = copied.run("train_model.py", "--vocab", "outputs/vocab.json", "--continue-from", "nowhere")
    assert done.returncode == 2
    assert "is not a model of Gitlore" in done.stderr
