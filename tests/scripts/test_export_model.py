"""Export: the whole model answers as the adapter does; converters are called, and their absence is an error."""

from __future__ import annotations

import os
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
    whole = AutoModelForCausalLM.from_pretrained(target)
    loaded = model_folder.load(finished.folder / "outputs" / "model", tmp_path)
    ids = torch.tensor([[*range(40), *loaded.vocabulary.own_ids[:20]]])
    with torch.no_grad():
        torch.testing.assert_close(whole(ids).logits, loaded.model(ids).logits, rtol=1e-4, atol=1e-4)
    assert len(AutoTokenizer.from_pretrained(target)) >= loaded.vocabulary.size
    assert (target / "Modelfile").read_text().splitlines()[1] == "FROM ."
    assert (target / "README.md").read_text() == (finished.folder / "outputs" / "model_card.md").read_text()
    assert finished.run(SCRIPT, "--output", str(target)).returncode == 2


def test_a_model_that_was_trained_after_the_card_gets_one_without_figures(copied: Program, tmp_path: Path) -> None:
    model, target = copied.folder / "outputs" / "model", tmp_path / "exported"
    newer = (copied.folder / "outputs" / "model_card.md").stat().st_mtime + 1
    os.utime(model / model_folder.INFO, (newer, newer))
    assert copied.run(SCRIPT, "--output", str(target)).returncode == 0
    assert (target / "README.md").read_text() == card(model_folder.read_info(model), None)


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
