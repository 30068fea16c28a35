"""Stage 5 as a command: methods, objectives, several processes, continuing an earlier model, full disks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch
from builders import PROJECT, Program, Repo
from safetensors.torch import load_file

import train_model
from core.errors import StageError, UserError
from core.models import model_folder
from core.records.training import SUMMARY, read_metrics
from core.training import fit
from core.training.earlier import FILE, TrainedOn, seen_examples
from core.training.memory import Shape

VOCAB = ("--vocab", "outputs/vocab.json")


def train(program: Program, *arguments: str) -> dict[str, Any]:
    """Run the stage; its training.json."""
    done = program.run("train_model.py", *VOCAB, *arguments)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads((program.folder / "outputs" / "training_logs" / SUMMARY).read_text())
    return summary


def weights(program: Program) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = torch.load(program.folder / "outputs" / "model_weights.pt", weights_only=True)
    return loaded


@pytest.mark.parametrize(
    "arguments",
    [
        ("--method", "full", "--learning-rate", "1e-4"),
        ("--method", "qlora"),
        ("--objective", "target_window", "--batch-size", "2"),
        ("--documents", "commit", "--batch-size", "2", "--gradient-accumulation", "2"),
        ("--gradient-checkpointing", "--optimizer", "adamw"),
        ("--target-modules", "q_proj", "--target-modules", "v_proj", "--loss-chunk-tokens", "0", "--no-fit-memory"),
    ],
    ids=lambda arguments: arguments[1],
)
def test_every_way_of_training_lowers_the_loss(copied: Program, arguments: tuple[str, ...]) -> None:
    found = train(copied, *arguments, "--max-steps", "6", "--newest-weight", "1")
    assert found["validation"]["best"] < found["validation"]["untuned"]
    assert found["steps"] == 6
    assert found["ended_by"] == "max_steps"
    assert found["trained_tokens"] > 0
    assert copied.run("evaluate.py", "--model", "outputs/model").returncode == 0
    rows = json.loads((copied.folder / "outputs" / "evaluation.json").read_text())["splits"]["test"]["rows"]
    assert rows["fine-tuned"]["loss"] < rows["untuned base"]["loss"]


def test_two_runs_with_one_seed_give_the_same(copied: Program) -> None:
    arguments = ("--max-steps", "5", "--lora-dropout", "0.1")
    first, one = train(copied, *arguments), weights(copied)
    metrics = read_metrics(copied.folder / "outputs" / "training_logs")
    second, two = train(copied, *arguments), weights(copied)
    assert metrics == read_metrics(copied.folder / "outputs" / "training_logs")
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert first["validation"] == second["validation"]
    other = train(copied, *arguments, "--seed", "3")
    assert other["validation"] != first["validation"]


def test_a_merged_model_needs_no_adapter(copied: Program) -> None:
    train(copied, "--merge")
    folder = copied.folder / "outputs" / "model"
    assert not (folder / "adapter_config.json").exists()
    assert not model_folder.read_info(folder).is_adapter
    assert not (folder / "README.md").exists()
    merged = load_file(folder / "model.safetensors")
    assert not any("lora" in name for name in merged)
    done = copied.run("predict.py", "--repo", repo_of(copied), "--json", "--sketch-tokens", "3")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"]


def repo_of(program: Program) -> str:
    config = (program.folder / "config.yaml").read_text()
    return config.partition('repo: "')[2].partition('"')[0]


def test_a_training_that_gets_worse_is_ended_and_the_best_model_is_kept(copied: Program) -> None:
    settings = ("--learning-rate", "0.5", "--scheduler", "constant", "--max-steps", "30", "--validation-points", "15")
    done = copied.run("train_model.py", *VOCAB, *settings, "--early-stopping", "2")
    assert done.returncode == 0, done.stderr
    assert "did not improve the model" in done.stderr
    logs = copied.folder / "outputs" / "training_logs"
    found = json.loads((logs / SUMMARY).read_text())
    assert found["ended_by"] == "early_stopping"
    assert found["steps"] < found["planned_steps"] == 30
    assert found["steps"] == max(entry["step"] for entry in read_metrics(logs))
    losses = {e["step"]: e["val_loss"] for e in read_metrics(logs) if "val_loss" in e}
    assert max(losses) < 30
    assert found["validation"]["best"] == min(loss for step, loss in losses.items() if step)


def test_time_bounds_a_training(copied: Program) -> None:
    found = train(copied, "--max-minutes", "0.02", "--max-steps", "0", "--epochs", "100000", "--validation-points", "0")
    assert found["ended_by"] == found["bound_by"] == "max_minutes"
    assert found["validation"] is None


def test_a_training_that_does_not_fit_shrinks_until_it_does(copied: Program) -> None:
    alone = train(copied)["memory"]
    assert alone["planned_total"] == sum(alone["planned"].values())
    limit = (alone["planned_total"] + 40 * 2**20) / 2**30
    big = ("--batch-size", "256", "--max-steps", "1", "--memory-limit-gib", f"{limit:.4f}")
    found = train(copied, *big)["memory"]
    assert found["decisions"]
    assert found["micro_batch"] * found["accumulation"] == 256
    assert found["micro_batch"] < 256
    done = copied.run("train_model.py", *VOCAB, "--memory-limit-gib", "0.001")
    assert done.returncode == 1
    assert "does not fit" in done.stderr


def test_a_training_that_would_fill_the_disk_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
    with pytest.raises(StageError, match="of disk"):
        fit.check_disk(torch.nn.Linear(100, 100), tmp_path, checkpoints=3, whole=False)  # type: ignore[arg-type]


def test_two_processes_train_one_model(copied: Program) -> None:
    launcher = Path(sys.executable).parent / "accelerate"
    line = [launcher, "launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
    line += ["--dynamo_backend", "no", "--main_process_port", "0", PROJECT / "train_model.py", *VOCAB]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*line, "--max-steps", "3"], cwd=copied.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((copied.folder / "outputs" / "training_logs" / SUMMARY).read_text())
    assert found["steps"] == 3
    assert found["blocks_used"] == 6
    assert found["validation"]["best"] < found["validation"]["untuned"]
    assert done.stderr.count("training 3 steps") == 1
    alone = train(copied, "--max-steps", "3", "--gradient-accumulation", "2")
    assert alone["validation"]["best"] == pytest.approx(found["validation"]["best"], rel=1e-3)


def test_a_stage_of_one_process_cannot_be_launched(copied: Program) -> None:
    done = copied.run("dataset_builder.py", *VOCAB, RANK="1", WORLD_SIZE="2")
    assert done.returncode == 2
    assert "work of one process" in done.stderr


def test_an_earlier_model_is_continued_with_what_is_new(tmp_path: Path, finished: Program) -> None:
    program = Program(tmp_path / "work")
    shutil.copytree(finished.folder / "repo", tmp_path / "repo")
    program.folder.mkdir()
    config = (finished.folder / "config.yaml").read_text().replace(repo_of(finished), str(tmp_path / "repo"))
    config += "dataset_builder: {context_window: 64, target_window: 16, stride: 8, keep_boundaries: false}\n"
    config = config.replace("dataset_builder: {context_window: 64, target_window: 16, stride: 8}\n", "", 1)
    (program.folder / "config.yaml").write_text(config)
    last = ("--set", "model_training.continue_from=last", "--until", "model_training")
    done = program.run("pipeline.py", *last)
    assert done.returncode == 0, done.stderr
    assert "starts from scratch" in done.stderr
    first = weights(program)
    done = program.run("pipeline.py", *last, "--force")
    assert done.returncode == 2
    assert "trained on the whole training split already" in done.stderr
    repo = Repo(tmp_path / "repo", clock=1_700_000_000)
    for number in range(12):
        body = "".join(f"pub fn added_{number}_{i}(y: u64) -> u64 {{\n    y * {i}\n}}\n\n" for i in range(3))
        repo.commit(f"more {number}", {f"src/new_{number % 3}.rs": body})
    done = program.run("pipeline.py", *last)
    assert done.returncode == 0, done.stderr
    found = json.loads((program.folder / "outputs" / "training_logs" / SUMMARY).read_text())
    assert found["replayed_blocks"] == 1  # 0.3 of four
    assert found["forgetting"]["tokens"] > 100
    assert found["forgetting"]["before"] != found["forgetting"]["after"]
    second = weights(program)
    assert second.keys() == first.keys()
    assert any(not torch.equal(first[name], second[name]) for name in first)
    done = program.run("train_model.py", *VOCAB, "--continue-from", "nowhere")
    assert done.returncode == 2
    assert "is no model of Gitlore" in done.stderr


def test_what_was_trained_on_is_found_again() -> None:
    ids = torch.arange(20_000).numpy()
    kept = TrainedOn.of(ids[:10_000], ids[10_000:10_100], 50)
    assert [len(block) for block in kept.held_out] == [50, 50]
    assert kept.known_tokens(ids) == 10_000
    assert kept.known_tokens(ids[:9000]) == 8192
    other = ids.copy()
    other[5000] = 0
    assert kept.known_tokens(other) == 4096

    class Places:
        def first_tokens(self) -> Any:
            return torch.tensor([0, 4000, 5000, 9000, 4095]).numpy()

    assert seen_examples(Places(), 4096) == [0, 1, 4]  # type: ignore[arg-type]


def test_trained_on_survives_the_disk(tmp_path: Path) -> None:
    kept = TrainedOn.of(torch.arange(9000).numpy(), torch.arange(5).numpy(), 5)
    kept.write(tmp_path)
    assert TrainedOn.read(tmp_path) == kept
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(Exception, match="does not record"):
        TrainedOn.read(tmp_path)


def test_blocks_of_another_dataset_are_refused(copied: Program) -> None:
    path = copied.folder / "outputs" / "training_data_train.pt"
    data = torch.load(path, weights_only=True)
    data["stream"][3] += 1
    torch.save(data, path)
    done = copied.run("train_model.py", *VOCAB)
    assert done.returncode == 2
    assert "was not made with" in done.stderr


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


def test_a_smaller_width_trains_on_no_leftovers(copied: Program) -> None:
    found = train(copied, "--sequence-length", "32", "--max-steps", "0", "--max-train-tokens", "600")
    assert 600 <= found["trained_tokens"] < 600 + 32
    assert found["trained_tokens"] / found["steps"] > 20
    wide = train(copied, "--sequence-length", "512")
    assert wide["sequence_length"] == 64  # that of the blocks


def test_minutes_bound_one_process_only(monkeypatch: pytest.MonkeyPatch) -> None:
    config = train_model.ModelTrainingConfig(max_minutes=1.0)
    train_model.check_processes(config)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="one process only"):
        train_model.check_processes(config)
