"""The benchmark of a GPU where there is none: its plans, its steps on a small NF4 model, what it says it cannot see."""

from __future__ import annotations

import pytest
import torch

from benchmarks import card
from benchmarks.random_models import CODE_LLAMA_7B, LLAMA_2_7B, QWEN_1_5B, SMALL, Published, build


@pytest.mark.parametrize("model", [QWEN_1_5B, CODE_LLAMA_7B, LLAMA_2_7B], ids=lambda model: model.name)
def test_plans_stay_below_eight_gib(model: Published) -> None:
    for shape in model.shapes:
        row = card.planned(model, shape, "fp16")
        assert row.result == "not measured"
        assert 1 < float(row.plan) < card.CAP_GIB


def test_a_quantized_model_with_random_weights_takes_steps() -> None:
    model = build(SMALL, "cpu", "fp32")
    assert any(type(module).__name__ == "Linear4bit" for module in model.modules())
    before = {name: value.clone() for name, value in model.named_parameters()}
    rate, losses = card.steps_of(model, SMALL.shapes[0], SMALL.values["vocab_size"], "fp32")
    assert rate > 0
    assert len(losses) == card.STEPS
    assert all(0 < loss < 20 for loss in losses)
    after = dict(model.named_parameters())
    changed = {name for name, value in before.items() if not torch.equal(after[name], value)}
    assert changed
    assert all(after[name].requires_grad for name in changed)


def test_a_loss_that_is_not_finite_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "steps_of", lambda *_: (10.0, [6.0, float("nan")]))
    assert card.trained(SMALL, SMALL.shapes[0], "fp32").result == "the loss is not finite"


def test_memory_that_runs_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")

    monkeypatch.setattr(card, "steps_of", out_of_memory)
    row = card.trained(SMALL, SMALL.shapes[0], "fp32")
    assert row.result == "DOES NOT FIT: CUDA out of memory"
    assert row.rate == ""


@pytest.mark.slow
def test_processes_of_accelerate_end_with_the_same_weights() -> None:
    assert card.together(2, on_gpu=False).result == "all end with the same weights"
