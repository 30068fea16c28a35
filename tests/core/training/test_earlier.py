"""What an earlier model was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from core.training.earlier import FILE, TrainedOn, seen_examples


def test_what_was_trained_on_is_found_again() -> None:
    ids = torch.arange(20_000).numpy()
    kept = TrainedOn.of(ids[:10_000], ids[10_000:10_100], 50)
    assert [len(block) for block in kept.held_out] == [50, 50]
    assert kept.known_tokens(ids) == 10_000
    assert kept.known_tokens(ids[:9000]) == 8192
    other = ids.copy()
    other[5000] = 0
    assert kept.known_tokens(other) == 4096

    class Places:
        def first_tokens(self) -> Any:
            return torch.tensor([0, 4000, 5000, 9000, 4095]).numpy()

    assert seen_examples(Places(), 4096) == [0, 1, 4]  # type: ignore[arg-type]


def test_trained_on_survives_the_disk(tmp_path: Path) -> None:
    kept = TrainedOn.of(torch.arange(9000).numpy(), torch.arange(5).numpy(), 5)
    kept.write(tmp_path)
    assert TrainedOn.read(tmp_path) == kept
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(Exception, match="does not record"):
        TrainedOn.read(tmp_path)
