"""What OpenAI's clients send, as questions."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from core.prediction.question import MOST_TEXT
from services.schemas import ChatRequest


def chat(**more: Any) -> ChatRequest:
    return ChatRequest.model_validate({"messages": [{"role": "user", "content": "fix"}], **more})


@pytest.mark.parametrize("seed", [-1, 0, -(2**63), 2**64 - 1])
def test_seeds_have_64_bits(seed: int) -> None:
    assert chat(seed=seed).question.seed == seed


@pytest.mark.parametrize(("given", "used"), [({}, 1.0), ({"top_p": None}, 1.0), ({"top_p": 0}, 0.0)])
def test_a_share_of_nothing_is_not_a_share_that_is_not_given(given: dict[str, Any], used: float) -> None:
    assert chat(**given).question.top_p == used


def test_a_tiny_share_is_taken() -> None:
    assert chat(top_p=1e-300, temperature=2).question.top_p == 1e-300


def test_text_of_parts_is_joined_and_bounded() -> None:
    parts = [{"type": "image_url", "image_url": {}}, {"type": "text", "text": "a"}, {"type": "input_text", "text": "b"}]
    assert chat(messages=[{"role": "user", "content": parts}]).question.task == "a\nb"
    long = [{"type": "text", "text": "x" * (MOST_TEXT // 2)}] * 3
    with pytest.raises(ValidationError, match="parts of a message"):
        chat(messages=[{"role": "user", "content": long}])
