"""Stage 7 as a command: what it measures, and what must be exactly zero."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from builders import Program

from core.models import model_folder
from core.models.model_card import card
from core.records.copying import FOLDER
from core.scoring.copying import Cache
from core.scoring.copying_folder import read_index, read_info
from core.text.token_files import SPLITS, load, save


def measured(program: Program, *arguments: str) -> dict[str, Any]:
    done = program.run("evaluate.py", "--model", "outputs/model", *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((program.folder / "outputs" / "evaluation.json").read_text())
    return found


def test_the_untuned_base_against_itself_is_exactly_zero(copied: Program) -> None:
    found = measured(copied, "--no-adapter")
    for split in found["splits"].values():
        assert split["rows"]["fine-tuned"] == split["rows"]["untuned base"]
        for part in split["gain"].values():
            assert (part["share"], part["low"], part["high"]) in ((0.0, 0.0, 0.0), (0.0, None, None))
    rows = found["continuations"]["rows"]
    assert rows["fine-tuned"] == rows["untuned base"]
    info = model_folder.read_info(copied.folder / "outputs" / "model")
    written = (copied.folder / "outputs" / "model_card.md").read_text()
    assert written == card(info, None)  # the figures are not those of the fine-tuned model
    assert "bits per byte" not in written


def test_what_may_be_copied_is_the_history_with_the_weights_of_this_model(copied: Program) -> None:
    outputs = copied.folder / "outputs"
    about = read_info(outputs / FOLDER)
    assert about.model == model_folder.read_info(outputs / "model").identity
    assert np.array(about.weights).shape == Cache.SHAPE
    kept = [one.backward[: one.tokens][::-1] for one in read_index(outputs / FOLDER, about).segments]
    streams = [load(outputs / f"training_data_{name}.pt", ["stream"])["stream"].numpy() for name in SPLITS]
    assert (np.concatenate(kept) == np.concatenate(streams)).all()
    measured(copied, "--no-adapter")
    assert not read_info(outputs / FOLDER).model  # weights of the untuned base are for nobody


def test_two_evaluations_agree(copied: Program) -> None:
    first, second = measured(copied), measured(copied)
    assert first == second


@pytest.mark.slow
def test_a_smaller_training_is_measured_on_less(copied: Program) -> None:
    path = copied.folder / "outputs" / "model" / model_folder.INFO
    info = json.loads(path.read_text())
    for budget, tokens in ((400, 100), (0, 12_288), (10**9, 32_768)):
        info["training"]["max_train_tokens"] = budget
        path.write_text(json.dumps(info))
        found = measured(copied, "--tokens", "auto")
        assert found["settings"]["tokens"] == tokens
        assert (found["splits"]["test"]["rows"]["trigram"]["tokens"] <= 100) == (budget == 400)


def test_everything_has_its_figure(finished: Program) -> None:
    found = json.loads((finished.folder / "outputs" / "evaluation.json").read_text())
    names = {"uniform", "unigram", "trigram", "copy", "fine-tuned", "untuned base", "xz", "xz given training text"}
    names |= {"fine-tuned + cache", "untuned base + cache"}
    for split in found["splits"].values():
        assert split["rows"].keys() == names
        assert all(row["bits_per_byte"] > 0 for row in split["rows"].values())
        assert split["rows"]["uniform"]["bits_per_byte"] > split["rows"]["unigram"]["bits_per_byte"]
        assert {"gain", "gain_of_cache", "gain_over_copy"} < split.keys()
    assert found["width"] == 64
    assert found["next_commits"]["accuracy"].keys() == {"model", "frequency", "recency"}
    assert found["next_commits"]["accuracy"]["model"]["file@5"]["n"] == 2
    assert found["continuations"]["rows"].keys() == {"copy", "fine-tuned", "fine-tuned + cache", "untuned base"}
    assert found["contamination"]["test"]["changes"] > 0
    assert found["by_age"]["last quarter"]["tokens"] > 0
    assert found["by_kind"]["about"]["tokens"] > 0
    assert found["warnings"] == []  # a repository without a public remote


@pytest.mark.slow
def test_a_planted_leak_is_visible(copied: Program) -> None:
    clean = measured(copied)["contamination"]["test"]
    path = copied.folder / "outputs" / "training_data_train.pt"
    train, test = (
        load(copied.folder / "outputs" / f"training_data_{name}.pt", ["stream"])["stream"] for name in ("train", "test")
    )
    save(path, {"stream": torch.cat([train, test])})
    done = copied.run("evaluate.py", "--model", "outputs/model")
    assert "holds the whole code of" in done.stderr
    leaked = json.loads((copied.folder / "outputs" / "evaluation.json").read_text())["contamination"]["test"]
    assert leaked["suspicious"]
    assert leaked["share_of_changes"] == 1.0
    assert leaked["changes_in_training"] > clean["changes_in_training"]
    assert leaked["share_of_tokens_in_seen_runs"] > clean["share_of_tokens_in_seen_runs"]
    done = copied.run("report_builder.py", "--commits", "outputs/commits.json")
    assert done.returncode == 0, done.stderr
    page = (copied.folder / "outputs" / "report.html").read_text()
    assert "leak?" in page
    assert "holds the whole code of" in page


@pytest.mark.slow
def test_parts_can_be_left_out(copied: Program) -> None:
    found = measured(
        copied,
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
    assert "fine-tuned + cache" not in found["splits"]["test"]["rows"]
    about = read_info(copied.folder / "outputs" / FOLDER)
    assert (about.weights, about.segments) == ([], [])
    assert found["next_commits"] is None
    assert found["continuations"] is None
    assert found["splits"]["test"]["gain"]["text"]["low"] is None
    assert copied.run("report_builder.py", "--commits", "outputs/commits.json").returncode == 0


def test_a_model_of_another_vocabulary_is_refused(copied: Program) -> None:
    path = copied.folder / "outputs" / "model" / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["merges"].pop()
    path.write_text(json.dumps(tokenizer))
    done = copied.run("evaluate.py", "--model", "outputs/model")
    assert done.returncode == 2
    assert "another vocabulary" in done.stderr
