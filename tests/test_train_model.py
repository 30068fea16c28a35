"""Stage 6 as a command: methods, objectives, several processes, continuing an earlier model, full disks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from builders import PROJECT, Program
from safetensors.torch import load_file

import train_model
from core.errors import UserError
from core.models import model_folder
from core.records.training import SUMMARY, read_metrics
from core.training.ladder import RUNGS

VOCAB = ("--vocab", "outputs/vocab.json")
LOSS_ALONE = (
    "--no-cache",
    "--next-commits",
    "0",
    "--continuations",
    "0",
    "--examples",
    "0",
    "--bootstrap-samples",
    "0",
)


def train(program: Program, *arguments: str) -> dict[str, Any]:
    """Run the stage; its training.json."""
    done = program.run("train_model.py", *VOCAB, *arguments)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads((program.folder / "outputs" / "training_logs" / SUMMARY).read_text())
    return summary


def weights(program: Program) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = torch.load(program.folder / "outputs" / "model_weights.pt", weights_only=True)
    return loaded


@pytest.mark.slow
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
def test_every_training_method_lowers_the_loss(copied: Program, arguments: tuple[str, ...]) -> None:
    found = train(copied, *arguments, "--max-steps", "6", "--newest-weight", "1")
    assert found["validation"]["best"] < found["validation"]["untuned"]
    assert found["steps"] == 6
    assert found["ended_by"] == "max_steps"
    assert found["trained_tokens"] > 0
    assert copied.run("evaluate.py", "--model", "outputs/model", *LOSS_ALONE).returncode == 0
    rows = json.loads((copied.folder / "outputs" / "evaluation.json").read_text())["splits"]["test"]["rows"]
    assert rows["fine-tuned"]["loss"] < rows["untuned base"]["loss"]


@pytest.mark.slow
def test_edits_are_trained_on_and_measured(copied: Program) -> None:
    done = copied.run("train_model.py", *VOCAB, "--objective", "edits")
    assert done.returncode == 2
    assert "holds no edits" in done.stderr
    chosen = ("tokenizer.code_view=edit", "model_training.objective=edits", "model_training.max_steps=6")
    settings = [word for setting in chosen for word in ("--set", setting)]
    done = copied.run("pipeline.py", "--config", "config.yaml", *settings, "--until", "report_builder")
    assert done.returncode == 0, done.stderr
    logs = json.loads((copied.folder / "outputs" / "training_logs" / SUMMARY).read_text())
    assert logs["validation"]["best"] < logs["validation"]["untuned"]
    found = json.loads((copied.folder / "outputs" / "evaluation.json").read_text())
    assert found["edits"].keys() == {"val", "test"}
    rows = found["edits"]["test"]["rows"]
    assert rows.keys() == found["splits"]["test"]["rows"].keys()
    assert rows["fine-tuned"]["loss"] < rows["untuned base"]["loss"]
    assert len({row["tokens"] for row in rows.values() if "tokens" in row}) == 1
    assert 0 < rows["copy"]["text_bytes"] < rows["copy"]["bits_per_byte"] * rows["copy"]["text_bytes"]
    assert sum(group["tokens"] for group in found["edits_by_change"].values()) == rows["copy"]["tokens"]
    each = found["edits_by_commit"]
    assert len(each["added_bytes"]) == rows["copy"]["commits"]
    for name, row in rows.items():
        if name in each["bits"]:  # a compressor has no commits
            needed = sum(each["bits"][name]) / sum(each["added_bytes"])
            assert needed == pytest.approx(row["bits_per_byte"], rel=1e-3)
    assert {"copy", "fine-tuned", "fine-tuned + cache"} <= each["bits"].keys()
    page = (copied.folder / "outputs" / "report.html").read_text(encoding="utf-8")
    assert "bits for each byte that they add" in page
    assert "<td>nearest past edit</td>" in page
    written = found["written_edits"]["rows"]
    assert written.keys() == {"nothing", "nearest past edit", "nearest code", "fine-tuned", "fine-tuned + cache"}
    assert written["nothing"]["line_similarity"]["mean"] == 0
    assert 0 < written["nearest past edit"]["line_similarity"]["mean"] <= 1
    asked = ("--repo", "repo", "--task", "change handler_0", "--sketch-tokens", "6", "--always-sketch", "--json")
    done = copied.run("predict.py", *asked)
    assert done.returncode == 0, done.stderr
    edit = json.loads(done.stdout)["edit"]
    assert edit["symbol"] == "handler_0"
    assert bool(edit["diff"]) != bool(edit["problem"])


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
    done = copied.run("predict.py", "--repo", "repo", "--json", "--sketch-tokens", "3", "--always-sketch")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"]


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


def test_auto_takes_as_many_tokens_as_the_time_of_a_step_allows(copied: Program) -> None:
    speed = copied.folder / "cache" / "training_speed.json"
    auto = ("--max-train-tokens", "auto", "--max-steps", "2")
    assert train(copied, *auto)["max_train_tokens"] in RUNGS
    ((name, seconds),) = json.loads(speed.read_text()).items()
    assert 0 < seconds < 1
    speed.write_text(json.dumps({name: 0.0146}))
    assert train(copied, *auto)["max_train_tokens"] == 8192
    done = copied.run("train_model.py", *VOCAB, "--max-train-tokens", "auto", "--no-fit-memory", "--batch-size", "3")
    assert done.returncode == 2
    assert "probe step" in done.stderr


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


@pytest.mark.slow
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
    # Sums are rounded in another order, and the first steps of Adam are as long for tiny gradients as for large ones.
    gains = [one["validation"]["untuned"] - one["validation"]["best"] for one in (alone, found)]
    assert gains[0] == pytest.approx(gains[1], rel=0.25)


def test_a_stage_of_one_process_cannot_be_launched(copied: Program) -> None:
    done = copied.run("dataset_builder.py", *VOCAB, RANK="1", WORLD_SIZE="2")
    assert done.returncode == 2
    assert "runs in a single process" in done.stderr


def test_blocks_of_another_dataset_are_refused(copied: Program) -> None:
    path = copied.folder / "outputs" / "training_data_train.pt"
    data = torch.load(path, weights_only=True)
    data["stream"][3] += 1
    torch.save(data, path)
    done = copied.run("train_model.py", *VOCAB)
    assert done.returncode == 2
    assert "was not made with" in done.stderr


def test_a_smaller_width_trains_on_no_leftovers(copied: Program) -> None:
    found = train(copied, "--sequence-length", "32", "--max-steps", "0", "--max-train-tokens", "600")
    assert 600 <= found["trained_tokens"] < 600 + 32
    assert found["trained_tokens"] / found["steps"] > 20
    wide = train(copied, "--sequence-length", "512")
    assert wide["sequence_length"] == 64  # that of the blocks


@pytest.mark.parametrize("bound", [{"max_minutes": 1.0}, {"max_train_tokens": "auto"}], ids=str)
def test_the_time_of_a_step_bounds_one_process_only(monkeypatch: pytest.MonkeyPatch, bound: dict[str, Any]) -> None:
    config = train_model.ModelTrainingConfig(**bound)
    train_model.check_processes(config)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="one process only"):
        train_model.check_processes(config)
