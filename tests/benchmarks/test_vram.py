"""The memory benchmark without a GPU: its plans, and its steps on a small NF4 model."""

from __future__ import annotations

import pytest
import torch

from benchmarks import vram
from core.training.memory import GIB, Shape

SMALL = vram.Published(
    "small",
    "LlamaConfig",
    {
        "vocab_size": 600,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "tie_word_embeddings": False,
    },
    (Shape(1, 1, 64),),
)


@pytest.mark.parametrize("model", vram.MODELS, ids=lambda model: model.name)
def test_plans_stay_below_eight_gib(model: vram.Published) -> None:
    for shape in model.shapes:
        line = vram.line(model, shape, on_gpu=False)
        assert line.endswith("not measured")
        assert float(line.split()[1]) * GIB < 8 * GIB


def test_a_quantized_model_with_random_weights_takes_steps() -> None:
    model = vram.build(SMALL, "cpu")
    assert any(type(module).__name__ == "Linear4bit" for module in model.modules())
    before = {name: value.clone() for name, value in model.named_parameters() if value.requires_grad}
    measured = vram.probe(model, Shape(1, 1, 64), 600)
    assert measured.peak > 0
    assert measured.step_seconds > 0
    after = dict(model.named_parameters())
    assert all(torch.equal(after[name], value) for name, value in before.items())
