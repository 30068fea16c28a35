"""The flags that other programs need."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.models import elsewhere

FOLDER = Path("my models/fused")


@pytest.mark.parametrize(("rank", "flag"), [(1, 8), (16, 16), (17, 32), (300, 320), (512, 512)])
def test_vllm_takes_the_next_rank_that_it_has(rank: int, flag: int) -> None:
    lines = elsewhere.of_adapter(FOLDER, "org/base", rank, 0)
    wanted = f"vllm serve org/base --enable-lora --max-lora-rank {flag} --lora-modules fused='my models/fused'"
    assert wanted in lines[0]
    assert any("convert_lora_to_gguf.py 'my models/fused' --base org/base" in line for line in lines)


def test_a_rank_that_vllm_lacks_is_said() -> None:
    assert "no rank above 512, and this is 513" in elsewhere.of_adapter(FOLDER, "base", 513, 0)[0]


def test_trained_rows_have_to_be_merged() -> None:
    lines = "\n".join(elsewhere.of_adapter(FOLDER, "base", 16, 211))
    assert "this one has 211" in lines
    assert "scripts/export_model.py --model 'my models/fused'" in lines
    assert "--lora" not in lines


def test_a_whole_model_needs_no_flags_of_adapters() -> None:
    plain = "\n".join(elsewhere.of_whole(FOLDER, "", 512))
    assert "vllm serve 'my models/fused' --max-model-len 512" in plain
    assert "llama.cpp: needs --gguf" in plain
    assert (
        "llama-server -m 'my models/fused/model-q8_0.gguf' -c 512"
        in elsewhere.of_whole(FOLDER, "model-q8_0.gguf", 512)[1]
    )
