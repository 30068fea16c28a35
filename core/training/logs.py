"""Names and reading of the files in training_logs/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

METRICS = "metrics.jsonl"
SUMMARY = "training.json"
VALIDATION_LOSS = "val_loss"


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All complete lines of a metrics file; none where there is no file."""
    if not path.exists():
        return []
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:  # cut off by a kill
            break
    return entries
