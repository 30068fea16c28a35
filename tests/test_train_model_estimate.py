"""`train_model.py --estimate`: a table of what longer trainings bring, and an outputs folder as it was."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
from builders import Program, wait_for

from core.records.training import read_metrics

ESTIMATE = ("train_model.py", "--vocab", "outputs/vocab.json", "--estimate")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_an_estimate_is_a_table_and_leaves_the_outputs_alone(copied: Program) -> None:
    before = contents(copied.folder / "outputs")
    done = copied.run(*ESTIMATE, "--learning-rate", "1e-3")
    assert done.returncode == 0, done.stderr
    assert contents(copied.folder / "outputs") == before
    head, untuned, context, short, hour, night, _, speed, text = done.stdout.splitlines()
    assert head.split() == ["tokens", "bits", "a", "byte", "95", "%", "interval", "loss", "with", "copying"]
    assert untuned.startswith("untuned ")
    assert context.startswith("untuned, twice the context ")
    assert short.startswith("after a short training ")
    assert speed.endswith("in most steps).")
    assert text.startswith("An hour would bring ")
    assert "The training split is read to its end within an hour" in text
    # The sample is what a training validates on, in the same units.
    (first, *_) = [
        one["val_loss"] for one in read_metrics(copied.folder / "outputs" / "training_logs") if "val_loss" in one
    ]
    bits, loss, copying = map(float, untuned.split()[2:])
    assert loss == pytest.approx(first, abs=6e-4)
    assert copying < bits
    # All is read within an hour, so that a night brings no more.
    assert hour.split()[2:] == night.split()[4:]
    middle, low, high = (float(hour.split()[place]) for place in (3, 4, 6))
    assert low < middle < high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--validation-tokens", "1"), 0, "after a short training"),
        (("--learning-rate", "50"), 0, "The short training did not lower the loss"),
        (("--sequence-length", "4096", "--gradient-accumulation", "100"), 2, "an estimate takes 4"),
        (("--no-fit-memory",), 2, "fit_memory: false"),
        (("--resume",), 2, "--estimate tells of a training from the start"),
        (("--continue-from", "last"), 2, "--estimate tells of a training from the start"),
        (("--vocab", "nowhere/vocab.json"), 2, "nowhere/vocab.json is missing"),
    ],
)
def test_what_cannot_be_estimated_is_said(
    finished: Program, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    done = finished.run(*ESTIMATE, *arguments)
    assert done.returncode == code, done.stderr
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_one_validation_sequence_says_nothing_of_copying(finished: Program) -> None:
    done = finished.run(*ESTIMATE, "--validation-tokens", "1")
    assert [len(line.split()) for line in done.stdout.splitlines() if line.startswith("untuned ")] == [4]


@pytest.mark.slow
def test_ctrl_c_ends_an_estimate_without_a_trace(copied: Program, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    before = contents(copied.folder / "outputs")
    start = f"tempfile.tempdir = {str(scratch)!r}; stage_main(train_model.STAGE)"
    imports = "import tempfile; import train_model; from core.engine.command import stage_main"
    running = copied.start("-c", f"{imports}; {start}", *ESTIMATE[1:])
    wait_for(lambda: any(scratch.rglob("memory.json")))
    running.send_signal(signal.SIGINT)
    _, printed = running.communicate(120)
    assert running.returncode == 130
    assert printed.endswith("interrupted\n")
    assert "Traceback" not in printed
    assert list(scratch.iterdir()) == []
    assert contents(copied.folder / "outputs") == before


def test_a_plan_of_the_pipeline_names_the_estimate(copied: Program) -> None:
    shutil.rmtree(copied.folder / "outputs" / "model")
    plan = copied.run("pipeline.py", "--dry-run").stdout
    assert "is it worth the time? python train_model.py --estimate tells in about a minute" in plan
