"""Bases that only tests of fusion need."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_adapters import write_untied_model


@pytest.fixture(scope="session")
def untied_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with an output layer of its own."""
    return write_untied_model(tmp_path_factory.mktemp("untied"), tiny_model)
