"""Export: the whole model answers as the adapter does; converters are called, and their absence is an error."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import torch
from builders import Program
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.models import model_folder
from core.models.model_card import card

SCRIPT = "scripts/export_model.py"


def test_a_merged_export_gives_the_same_logits(finished: Program, tmp_path: Path) -> None:
    target = tmp_path / "exported"
    done = finished.run(SCRIPT, "--output", str(target), "--precision", "fp32")
    assert done.returncode == 0, done.stderr
    assert "model.safetensors" in done.stdout
    assert f"vllm serve {target} --max-model-len" in done.stdout
    whole = AutoModelForCausalLM.from_pretrained(target)
    loaded = model_folder.load(finished.folder / "outputs" / "model", tmp_path)
    ids = torch.tensor([[*range(40), *loaded.vocabulary.own_ids[:20]]])
    with torch.no_grad():
        torch.testing.assert_close(whole(ids).logits, loaded.model(ids).logits, rtol=1e-4, atol=1e-4)
    assert len(AutoTokenizer.from_pretrained(target)) >= loaded.vocabulary.size
    assert (target / "Modelfile").read_text().splitlines()[1] == "FROM ."
    assert (target / "README.md").read_text() == (finished.folder / "outputs" / "model_card.md").read_text()
    assert finished.run(SCRIPT, "--output", str(target)).returncode == 2


def test_the_card_of_another_model_in_the_same_folder_is_not_exported(copied: Program, tmp_path: Path) -> None:
    outputs, target = copied.folder / "outputs", tmp_path / "exported"
    other = shutil.copytree(outputs / "model", outputs / "other")
    info = json.loads((other / model_folder.INFO).read_bytes())
    info["training"]["seconds"] += 1
    (other / model_folder.INFO).write_text(json.dumps(info))
    os.utime(other / model_folder.INFO, (1, 1))  # older than the card
    assert copied.run(SCRIPT, "--model", str(other), "--output", str(target)).returncode == 0
    assert (target / "README.md").read_text() == card(model_folder.read_info(other), None)


def test_the_card_of_a_model_that_was_moved_is_exported(copied: Program, tmp_path: Path) -> None:
    outputs, target = copied.folder / "outputs", tmp_path / "exported"
    (outputs / "model").rename(outputs / "renamed")
    os.utime(outputs / "renamed" / model_folder.INFO)  # newer than the card
    assert copied.run(SCRIPT, "--model", str(outputs / "renamed"), "--output", str(target)).returncode == 0
    assert (target / "README.md").read_text() == (outputs / "model_card.md").read_text()


def test_a_converter_makes_gguf(finished: Program, tmp_path: Path) -> None:
    converter = tmp_path / "bin" / "convert_hf_to_gguf.py"
    converter.parent.mkdir()
    converter.write_text("import sys\nfrom pathlib import Path\nPath(sys.argv[3]).write_bytes(b'GGUF')\n")
    gguf, folder = ("--gguf", "--outtype", "q8_0"), str(converter.parent)
    done = finished.run(SCRIPT, "--output", str(tmp_path / "made"), *gguf, LLAMA_CPP=folder)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made" / "model-q8_0.gguf").read_bytes() == b"GGUF"
    assert "FROM ./model-q8_0.gguf" in (tmp_path / "made" / "Modelfile").read_text()
    converter.write_text("import sys\nsys.exit('no such architecture')\n")
    converter.chmod(converter.stat().st_mode | stat.S_IXUSR)
    done = finished.run(SCRIPT, "--output", str(tmp_path / "other"), "--gguf", LLAMA_CPP=folder)
    assert done.returncode == 1
    assert "no such architecture" in done.stderr
    assert not (tmp_path / "other").exists()
    assert not list(tmp_path.glob(".other*"))


def test_without_a_converter_gguf_is_an_error(finished: Program, tmp_path: Path) -> None:
    done = finished.run(SCRIPT, "--output", str(tmp_path / "made"), "--gguf", PATH="/usr/bin:/bin", LLAMA_CPP="")
    assert done.returncode == 2
    assert "no converter" in done.stderr
