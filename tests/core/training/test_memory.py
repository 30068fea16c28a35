"""The memory plan: what counts, and how it shrinks a training."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.errors import StageError
from core.training.fit import shrink
from core.training.memory import GIB, LEAST_WIDTH, Measured, Shape, Sizes, free_bytes, needed, sentence

SEVEN_B = Sizes(
    weights_bytes=int(3.6 * GIB),
    trained=40_000_000,
    optimizer_bytes=2,
    layers=32,
    width=4096,
    attention=3 * 4096,
    feed_forward=11008,
    vocabulary=32016,
    element=2,
    adapted=True,
    checkpointing=True,
    logit_tokens=256,
)


@given(st.integers(1, 64), st.integers(1, 64), st.integers(LEAST_WIDTH, 4096))
def test_the_effective_batch_stays(micro: int, accumulation: int, width: int) -> None:
    shape: Shape | None = Shape(micro, accumulation, width)
    seen = []
    while shape is not None:
        assert shape.micro_batch * shape.accumulation == micro * accumulation
        assert shape.width <= width
        seen.append(shape.micro_batch * shape.width)
        shape = shape.smaller()
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == len(seen)


def test_a_gpu_of_eight_gib_holds_what_the_research_measured() -> None:
    def total(sizes: Sizes, shape: Shape) -> float:
        return sum(needed(sizes, shape, on_gpu=True).values()) / GIB

    assert 4.3 < total(SEVEN_B, Shape(1, 8, 1024)) < 5.5
    assert total(replace(SEVEN_B, checkpointing=False), Shape(1, 8, 1024)) > 8
    whole = replace(SEVEN_B, logit_tokens=0, vocabulary=152_000)
    assert total(whole, Shape(1, 8, 2304)) - total(replace(whole, logit_tokens=256), Shape(1, 8, 2304)) > 4


def test_the_batch_goes_down_first_then_the_context() -> None:
    tried: list[Shape] = []

    def probe(shape: Shape) -> Measured:
        tried.append(shape)
        if shape.micro_batch * shape.width > 256:
            raise torch.OutOfMemoryError("full")
        return Measured(1, 0.5, 0.5)

    shape, measured, decisions = shrink(Shape(4, 2, 512), lambda _: {"all": 1}, 10, probe)
    assert tried == [Shape(4, 2, 512), Shape(2, 4, 512), Shape(1, 8, 512), Shape(1, 8, 256)]
    assert shape == tried[-1]
    assert measured == Measured(1, 0.5, 0.5)
    assert len(decisions) == 3
    assert all("ran out of memory" in line for line in decisions)


def test_what_cannot_fit_by_plan_is_not_tried() -> None:
    tried: list[Shape] = []

    def probe(shape: Shape) -> Measured:
        tried.append(shape)
        return Measured(1, 0.5, 0.5)

    def needs(shape: Shape) -> dict[str, int]:
        return {"all": shape.micro_batch * GIB}

    shape, _, decisions = shrink(Shape(8, 1, 512), needs, 3 * GIB, probe)
    assert tried == [shape] == [Shape(2, 4, 512)]
    assert "8.00 GiB of the 3.00 GiB" in decisions[0]
    with pytest.raises(StageError, match="does not fit"):
        shrink(Shape(8, 1, 512), needs, GIB // 2, probe)


def test_free_memory_is_bounded_by_the_settings() -> None:
    assert free_bytes(0) > GIB // 4
    assert free_bytes(0.125) == GIB // 8
    assert "0.12 GiB free" in sentence(Shape(1, 1, 64), {"weights": 5}, GIB // 8)
