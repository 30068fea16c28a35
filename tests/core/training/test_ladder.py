"""`max_train_tokens: auto`: a rung for the machine, and the same one in the next run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import UserError
from core.records.training import MemoryReport
from core.training import ladder


def probed(seconds: float) -> MemoryReport:
    """A shape of 2 x 2 x 128 tokens a step, which takes so long."""
    return MemoryReport(micro_batch=2, accumulation=2, width=128, idle_seconds=seconds)


@pytest.mark.parametrize(
    ("token_ms", "tokens"),
    [(0.01, 131_072), (0.9, 131_072), (1.0, 98_304), (7.3, 16_384), (8.5, 12_288), (29.0, 4_096), (900.0, 4_096)],
)
def test_the_rung_is_the_highest_that_takes_two_minutes(token_ms: float, tokens: int) -> None:
    assert ladder.tokens_of(token_ms / 1000) == tokens


def test_the_first_time_decides_until_it_is_removed(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert ladder.chosen_tokens(probed(512 * 0.0073), "a model", cache) == 16_384
    assert ladder.chosen_tokens(probed(512 * 0.09), "a model", cache) == 16_384  # a busy day
    assert ladder.chosen_tokens(MemoryReport(micro_batch=2, accumulation=2, width=128), "a model", cache) == 16_384
    assert ladder.chosen_tokens(probed(512 * 0.09), "another model", cache) == 4_096
    (cache / ladder.SPEED).unlink()
    assert ladder.chosen_tokens(probed(512 * 0.0146), "a model", cache) == 8_192


def test_another_shape_has_a_time_of_its_own(tmp_path: Path) -> None:
    ladder.chosen_tokens(probed(512 * 0.0073), "a model", tmp_path)
    wider = MemoryReport(micro_batch=1, accumulation=1, width=1024, idle_seconds=1024 * 0.0146)
    assert ladder.chosen_tokens(wider, "a model", tmp_path) == 8_192


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"a model, 2 x 128": "fast"}', '{"a model, 2 x 128": -1.0}', "[" * 99_999]
)
def test_a_damaged_file_is_measured_again(tmp_path: Path, content: str) -> None:
    path = tmp_path / ladder.SPEED
    path.write_text(content)
    assert ladder.chosen_tokens(probed(512 * 0.0073), "a model", tmp_path) == 16_384
    assert json.loads(path.read_text())["a model, 2 x 128"] == pytest.approx(0.0073)


def test_without_a_probe_there_is_no_rung(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="probe step") as caught:
        ladder.chosen_tokens(MemoryReport(micro_batch=2, accumulation=2, width=128), "a model", tmp_path)
    assert "fit_memory: true" in caught.value.hint
    assert not (tmp_path / ladder.SPEED).exists()
