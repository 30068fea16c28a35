"""Base models: the precision they are loaded in."""

from __future__ import annotations

import pytest
import torch

from core.models import base_models


def test_precision_follows_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for capability, expected in (((7, 5), "fp16"), ((8, 0), "bf16"), ((9, 0), "bf16")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda found=capability: found)
        assert base_models.resolved_precision("auto") == expected
    assert base_models.resolved_precision("fp32") == "fp32"
